-- $1 uuid job, $2 text snapshot
update job set snapshot = $2::pg_snapshot where id = $1
