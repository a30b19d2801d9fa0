-- SPDX-License-Identifier: Apache-2.0
-- "discount:CUR" and "order:CUR" of a campaign are the sums of its redemptions in the ledger that were not given back; an
-- order counts once, with the first line of its command.
with told as (
    select campaign_id, name, sum(value) as value
      from tally
     where name like 'discount:%' or name like 'order:%'
     group by campaign_id, name
), happened as (
    select w.path[array_upper(w.path, 1)] as campaign_id, m.name collate "C" as name, sum(m.value) as value
      from redemption r
      join campaign_path w on w.id = r.path_id
     cross join lateral (values ('discount:' || r.currency, r.discount_minor),
                                ('order:' || r.currency, case when r.line = 0 then r.order_minor end)) as m (name, value)
     where r.state = 1 and r.currency is not null and m.value is not null
     group by 1, 2
)
select campaign_id, name, coalesce(t.value, 0) as tally, coalesce(h.value, 0) as ledger
  from told t
  full join happened h using (campaign_id, name)
 where coalesce(t.value, 0) <> coalesce(h.value, 0)
