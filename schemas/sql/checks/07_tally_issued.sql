-- SPDX-License-Identifier: Apache-2.0
-- "issued" of a campaign is what the chunks of its generate jobs have made.
with told as (
    select campaign_id, sum(value) as value
      from tally
     where name = 'issued'
     group by campaign_id
), made as (
    select coalesce(j.campaign_id, p.campaign_id) as campaign_id, sum(k.rows) as value
      from chunk k
      join job j on j.id = k.job_id and j.kind = 1
      left join coupon p on p.id = j.coupon_id
     group by 1
)
select campaign_id, coalesce(t.value, 0) as tally, coalesce(m.value, 0) as chunks
  from told t
  full join made m using (campaign_id)
 where coalesce(t.value, 0) <> coalesce(m.value, 0)
