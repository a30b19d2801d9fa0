-- $1 int state, $2 int limit
-- state 0: any
select j.id::text as job, j.kind, j.state, s.name as source, j.ce_id, c.ext_id as campaign, p.ext_id as coupon,
       j.total, j.done, j.accepted_at,
       round(extract(epoch from coalesce(j.finished_at, clock_timestamp()) - j.accepted_at), 1)::text as seconds
  from job j
  left join source s on s.id = j.source_id
  left join coupon p on p.id = j.coupon_id
  left join campaign c on c.id = coalesce(j.campaign_id, p.campaign_id)
 where $1 = 0 or j.state = $1
 order by j.accepted_at desc, j.id
 limit $2
