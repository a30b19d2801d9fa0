-- $1 int[] campaign, $2 int2 shard, $3 text[] name, $4 int8[] value
insert into tally as t (campaign_id, shard, name, value)
select a.campaign, $2, a.name, a.value
  from unnest($1::int[], $3::text[], $4::int8[]) as a (campaign, name, value)
 order by a.campaign, a.name
on conflict (campaign_id, shard, name) do update set value = t.value + excluded.value
