-- $1 uuid job, $2 int2 lane, $3 int n
select partition, "offset", next_lane, next_n, next_epoch, job_done, says, at
  from chunk
 where job_id = $1 and lane = $2 and n = $3
