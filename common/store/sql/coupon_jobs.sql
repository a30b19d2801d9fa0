-- $1 int coupon
-- Jobs not yet ended of a coupon.
select id from job where state < 3 and coupon_id = $1 order by id
