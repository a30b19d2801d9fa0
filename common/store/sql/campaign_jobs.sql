-- $1 int campaign
-- Jobs not yet ended of a campaign and of all below it.
with below as (
    select c.id from campaign c join campaign_path p on p.id = c.path_id where $1 = any (p.path)
)
select j.id
  from job j
 where j.state < 3
   and (j.campaign_id in (select id from below)
        or j.coupon_id in (select id from coupon where campaign_id in (select id from below)))
 order by j.id
