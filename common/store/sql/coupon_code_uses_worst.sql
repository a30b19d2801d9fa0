-- $1 int coupon
-- Uses of the codes that take their number of uses from their coupon.
select coalesce(max(k.uses), 0)::int8 as uses
  from batch b
  join code k on k.batch_id = b.id
 where b.coupon_id = $1
   and b.max_uses is null
   and k.max_uses is null
