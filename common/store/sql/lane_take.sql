-- $1 uuid job, $2 int2 lane
select state, n, epoch, position, last
  from lane
 where job_id = $1 and lane = $2
   for update
