-- $1 text campaign
select c.id, p.ext_id, s.version, s.changes, s.due, s.data
  from campaign c
  left join campaign p on p.id = c.parent_id
  left join campaign_snapshot s on s.campaign_id = c.id
 where c.ext_id = $1
   for update of c
