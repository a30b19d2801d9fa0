-- $1 text ce_id
-- A command of a job that came to nothing: what it was told.
select outcome_type, outcome
  from command
 where ce_id = $1
   and kind in (2, 4)
   and job_id is null
 limit 1
