-- $1 int coupon
delete from counter c
 using code k, batch b
 where c.scope = 1
   and c.customer <> ''::bytea
   and k.key = c.subject
   and b.id = k.batch_id
   and b.coupon_id = $1
   and b.customer_limit is null
