-- SPDX-License-Identifier: Apache-2.0
-- A generated batch has exactly as many codes as its job has reported, at every moment; when the job has completed, that
-- is its size.
select b.id as batch, b.job_id as job, b.size, j.done, coalesce(c.rows, 0) as codes
  from batch b
  join job j on j.id = b.job_id and j.kind = 1
  left join (select batch_id, count(*) as rows
               from code
              group by batch_id) c on c.batch_id = b.id
 where coalesce(c.rows, 0) <> j.done
    or j.state = 3 and j.done <> b.size
    or j.total <> b.size
