-- $1 int coupon
-- Jobs not yet ended of a coupon.
select j.id, c.ext_id as campaign, k.ext_id as coupon
  from job j
  left join campaign c on c.id = j.campaign_id
  join coupon k on k.id = j.coupon_id
 where j.state < 3
   and j.coupon_id = $1
 order by j.id
