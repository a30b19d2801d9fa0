-- SPDX-License-Identifier: Apache-2.0
-- A job that came to its end, and only such a one, has an outcome (a JSON object) and the moment of its end.
select id as job, state, finished_at, left(outcome, 80) as outcome
  from job
 where (state >= 3) <> (outcome is not null)
    or (state >= 3) <> (finished_at is not null)
    or outcome is not null
       and case when pg_temp.audit_is_json(outcome) then jsonb_typeof(outcome::jsonb) <> 'object' else true end
