-- $1 uuid job, $2 int2 lane, $3 int8 position
update lane
   set n = n + 1,
       position = $3,
       state = case when $3 = last then 2 else 1 end,
       moved_at = clock_timestamp(),
       probed_at = null
 where job_id = $1 and lane = $2
