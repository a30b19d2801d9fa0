-- $1 uuid job, $2 int8 extra
-- Opens the extra lane with [0, extra), or opens it again with as much more.
insert into lane as l (job_id, lane, state, position, last, moved_at)
values ($1, 16, 1, 0, $2, clock_timestamp())
on conflict (job_id, lane) do update set state = 1, last = l.last + $2, moved_at = clock_timestamp()
returning lane, n, epoch
