-- $1 int limit
-- Campaigns about which metrics readers have not been told the latest: a change counts for its campaign and for all above.
with changed as (
    select campaign_id, sum(value)::bigint as changes from tally where name = 'changes' group by campaign_id
), rolled as (
    select a.id, sum(ch.changes)::bigint as changes
      from changed ch
      join campaign c on c.id = ch.campaign_id
      join campaign_path p on p.id = c.path_id
     cross join unnest(p.path) as a (id)
     group by a.id
)
select c.ext_id
  from rolled r
  join campaign c on c.id = r.id
  left join campaign_snapshot s on s.campaign_id = r.id
 where s.changes is distinct from r.changes
 order by coalesce(s.published_at, '-infinity')
 limit $1
