-- SPDX-License-Identifier: Apache-2.0
-- A job has done what its chunks have done, with the checksum of theirs; a completed one has done everything.
select j.id as job, j.state, j.total, j.done, coalesce(k.rows, 0) as chunks,
       j.checksum, coalesce(k.checksum, 0) as chunks_checksum
  from job j
  left join (select job_id, sum(rows) as rows, mod(sum(checksum), 18446744073709551616) as checksum
               from chunk
              group by job_id) k on k.job_id = j.id
 where j.done <> coalesce(k.rows, 0)
    or j.checksum <> coalesce(k.checksum, 0)
    or j.done > j.total
    or j.state = 3 and j.done <> j.total
