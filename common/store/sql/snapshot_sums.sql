-- $1 int campaign
select t.name, coalesce(sum(t.value) filter (where t.campaign_id = $1), 0)::bigint as own, sum(t.value)::bigint as total
  from tally t
  join campaign c on c.id = t.campaign_id
  join campaign_path p on p.id = c.path_id
 where $1 = any (p.path)
 group by t.name
 order by t.name
