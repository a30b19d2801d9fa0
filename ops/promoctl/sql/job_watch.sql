-- $1 uuid id
select j.kind, j.state, j.total, j.done, j.outcome,
       extract(epoch from coalesce(j.finished_at, clock_timestamp()) - j.accepted_at)::float8::text as seconds,
       (select count(*) from lane l where l.job_id = j.id and l.state = 1)::int as lanes_open,
       (select count(*) from lane l where l.job_id = j.id and l.state <> 2)::int as lanes_left
  from job j
 where j.id = $1
