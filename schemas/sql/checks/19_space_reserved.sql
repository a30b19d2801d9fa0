-- SPDX-License-Identifier: Apache-2.0
-- A space has at least as many codes reserved as its batches hold, jobs that go on counting with all they ask for, and
-- never more than it has strings.
select s.id as space, s.live, s.usable, coalesce(t.taken, 0) as taken
  from space s
  left join (select b.space_id, sum(case when j.state < 3 then b.size else coalesce(c.rows, 0) end) as taken
               from batch b
               join job j on j.id = b.job_id
               left join (select batch_id, count(*) as rows
                            from code
                           group by batch_id) c on c.batch_id = b.id
              group by b.space_id) t on t.space_id = s.id
 where s.live < coalesce(t.taken, 0)
    or s.live > s.usable
    or s.usable > s.capacity
