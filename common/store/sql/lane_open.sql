-- $1 uuid job
update lane
   set state = 1, moved_at = clock_timestamp()
 where job_id = $1
   and lane = (select lane from lane where job_id = $1 and state = 0 order by lane limit 1)
returning lane, n, epoch
