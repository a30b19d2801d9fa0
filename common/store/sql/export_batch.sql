-- $1 int batch
select b.coupon_id, b.pattern, b.active, coalesce(b.max_uses, k.code_max_uses), b.starts_at, b.ends_at
  from batch b
  join coupon k on k.id = b.coupon_id
 where b.id = $1
