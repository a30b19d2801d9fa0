-- SPDX-License-Identifier: Apache-2.0
-- The chunks of a lane count 0, 1, 2, ... and lie end to end up to the lane's position; lanes do not overlap (16, the
-- overflow, counts what the others left over).
with ordered as (
    select job_id, lane, n, first, last,
           row_number() over w - 1 as nth,
           lag(last) over w as before
      from chunk
    window w as (partition by job_id, lane order by n)
), reach as (
    select job_id, lane, count(*) as chunks, min(first) as first, max(last) as last
      from chunk
     group by job_id, lane
), spread as (
    select job_id, lane, first, lag(last) over (partition by job_id order by first, last) as before
      from reach
     where lane < 16 and last > first
)
select 'chunks of a lane' as what, job_id as job, lane, n, first, last, coalesce(before, 0) as expected
  from ordered
 where n <> nth or last < first or first <> coalesce(before, first)
union all
select 'lane', l.job_id, l.lane, l.n, coalesce(r.first, l.position), l.position, coalesce(r.last, l.position)
  from lane l
  left join reach r on r.job_id = l.job_id and r.lane = l.lane
 where l.n <> coalesce(r.chunks, 0)
    or l.position <> coalesce(r.last, l.position)
    or l.state = 2 and l.position <> l.last
union all
select 'lanes overlap', job_id, lane, 0, first, first, before
  from spread
 where first < before
