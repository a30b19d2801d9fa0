-- $1 int coupon
select coalesce(max(c.uses), 0)::int8 as uses
  from counter c
  join code k on k.key = c.subject
  join batch b on b.id = k.batch_id
 where c.scope = 1
   and c.customer <> ''::bytea
   and b.coupon_id = $1
   and b.customer_limit is null
