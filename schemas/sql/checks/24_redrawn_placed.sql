-- SPDX-License-Identifier: Apache-2.0
-- A completed job has placed every code whose draw was taken or blocked.
select d.batch_id as batch, b.job_id as job, count(*) as unplaced
  from code_redrawn d
  join batch b on b.id = d.batch_id
  join job j on j.id = b.job_id and j.state = 3
 where not d.placed
 group by d.batch_id, b.job_id
