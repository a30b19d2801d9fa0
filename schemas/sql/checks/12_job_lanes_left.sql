-- SPDX-License-Identifier: Apache-2.0
-- A job that goes on counts the lanes that are not done; a completed one has none.
select j.id as job, j.state, j.lanes_left, l.open
  from job j
 cross join lateral (select count(*) filter (where state <> 2) as open
                       from lane
                      where job_id = j.id) l
 where j.state in (1, 2) and j.lanes_left <> l.open
    or j.state = 3 and (j.lanes_left <> 0 or l.open <> 0)
