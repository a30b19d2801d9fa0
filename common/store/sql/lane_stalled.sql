-- $1 int8 after_ms, $2 int2 kinds_from, $3 int2 kinds_to, $4 int max
-- Lanes that have a token on the way and have not moved. The wait doubles: the next probe of a lane is due when it
-- has stood still twice as long as at the last one.
update lane l
   set probed_at = clock_timestamp()
  from (select l2.job_id, l2.lane
          from lane l2
          join job j on j.id = l2.job_id
         where j.state = 1
           and j.kind between $2 and $3
           and l2.state = 1
           and clock_timestamp() - l2.moved_at
               > greatest($1 * interval '1 millisecond', 2 * (coalesce(l2.probed_at, l2.moved_at) - l2.moved_at))
         order by l2.moved_at
         limit $4
           for update of l2 skip locked) s
 where l.job_id = s.job_id and l.lane = s.lane
returning l.job_id, l.lane, l.n, l.epoch
