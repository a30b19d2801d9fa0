-- $1 text[] key
-- Columns as code_take has them.
select c.key, c.uses, c.flags, coalesce(c.max_uses, b.max_uses, k.code_max_uses) as most, c.batch_id, b.coupon_id, b.active,
       b.starts_at, b.ends_at, b.customer_limit
  from code c
  join batch b on b.id = c.batch_id
  join coupon k on k.id = b.coupon_id
 where c.key = any ($1) and c.flags & 2 = 0
