-- SPDX-License-Identifier: Apache-2.0
-- The total limit of a coupon or campaign is at least what the ledger has taken of it: a lower one is refused.
with taken as (
    select 2 as scope, r.coupon_id as id, sum(r.units) as units
      from redemption r
     where r.state = 1
     group by r.coupon_id
    union all
    select 3, node, sum(r.units)
      from redemption r
      join campaign_path w on w.id = r.path_id
     cross join lateral unnest(w.path) as node
     where r.state = 1
     group by node
)
select 'coupon' as level, p.ext_id as id, p.total_limit, t.units as ledger
  from taken t
  join coupon p on t.scope = 2 and p.id = t.id
 where p.total_limit > 0 and t.units > p.total_limit
union all
select 'campaign', c.ext_id, c.total_limit, t.units
  from taken t
  join campaign c on t.scope = 3 and c.id = t.id
 where c.total_limit > 0 and t.units > c.total_limit
