-- SPDX-License-Identifier: Apache-2.0
-- Where nothing has changed since a campaign's metrics were published, they are the sums of the tallies: its own, and in
-- total with its descendants.
with subtree as (
    select root.id as campaign_id, node.id as node_id
      from campaign node
      join campaign_path w on w.id = node.path_id
      join campaign root on root.id = any (w.path)
), own as (
    select campaign_id, name, sum(value) as value
      from tally
     group by campaign_id, name
), total as (
    select s.campaign_id, o.name, sum(o.value) as value
      from subtree s
      join own o on o.campaign_id = s.node_id
     group by s.campaign_id, o.name
), quiet as (
    select n.campaign_id, n.data::jsonb as data
      from campaign_snapshot n
      left join total t on t.campaign_id = n.campaign_id and t.name = 'changes'
     where n.changes = coalesce(t.value, 0)
       and pg_temp.audit_is_json(n.data)
), told as (
    select q.campaign_id, part.part, f.name, f.value
      from quiet q
     cross join lateral (values ('own', q.data -> 'own'), ('total', q.data -> 'total')) as part (part, sums)
     cross join lateral (
        select g.name, (part.sums ->> g.name)::numeric as value
          from (values ('issued'), ('redeemed'), ('released')) as g (name)
        union all
        select m.prefix || e.key, e.value::numeric
          from (values ('discount_minor', 'discount:'), ('order_minor', 'order:'), ('refused', 'refused:'))
               as m (member, prefix)
         cross join lateral jsonb_each_text(part.sums -> m.member) as e) as f
), kept as (
    select q.campaign_id, 'own' as part, o.name, o.value
      from quiet q
      join own o on o.campaign_id = q.campaign_id
    union all
    select q.campaign_id, 'total', t.name, t.value
      from quiet q
      join total t on t.campaign_id = q.campaign_id
)
select campaign_id, part, name, coalesce(t.value, 0) as snapshot, coalesce(k.value, 0) as tally
  from told t
  full join (select * from kept where name <> 'changes') k using (campaign_id, part, name)
 where coalesce(t.value, 0) <> coalesce(k.value, 0)
union all
select n.campaign_id, 'data is no JSON', null, null, null
  from campaign_snapshot n
 where not pg_temp.audit_is_json(n.data)
