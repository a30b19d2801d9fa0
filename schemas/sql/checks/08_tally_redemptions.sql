-- SPDX-License-Identifier: Apache-2.0
-- "redeemed" and "released" of a campaign are the ledger's redemptions, and those of them that were given back; a
-- redemption counts where its coupon's campaign was then.
with told as (
    select campaign_id, name, sum(value) as value
      from tally
     where name in ('redeemed', 'released')
     group by campaign_id, name
), happened as (
    select w.path[array_upper(w.path, 1)] as campaign_id, s.name collate "C" as name, count(*) as value
      from redemption r
      join campaign_path w on w.id = r.path_id
      join (values (1, 'redeemed'), (3, 'redeemed'), (3, 'released')) as s (state, name) on s.state = r.state
     group by 1, 2
)
select campaign_id, name, coalesce(t.value, 0) as tally, coalesce(h.value, 0) as ledger
  from told t
  full join happened h using (campaign_id, name)
 where coalesce(t.value, 0) <> coalesce(h.value, 0)
