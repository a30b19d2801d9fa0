-- $1 uuid job, $2 int2[] lane, $3 int2[] state, $4 int8[] position, $5 int8[] last
insert into lane (job_id, lane, state, position, last, moved_at)
select $1, l.lane, l.state, l.position, l.last, clock_timestamp()
  from unnest($2::smallint[], $3::smallint[], $4::int8[], $5::int8[]) as l (lane, state, position, last)
