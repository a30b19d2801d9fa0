-- $1 int campaign
-- Jobs not yet ended of a campaign and of all below it.
with below as (
    select c.id from campaign c join campaign_path p on p.id = c.path_id where $1 = any (p.path)
)
select j.id, c.ext_id as campaign, k.ext_id as coupon
  from job j
  left join campaign c on c.id = j.campaign_id
  left join coupon k on k.id = j.coupon_id
 where j.state < 3
   and (j.campaign_id in (select id from below) or k.campaign_id in (select id from below))
 order by j.id
