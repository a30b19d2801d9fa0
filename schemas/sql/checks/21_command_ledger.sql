-- SPDX-License-Identifier: Apache-2.0
-- The ledger of commands: an outcome is a JSON object, a job that is named exists, and every job has its command.
select 'outcome is no JSON object' as what, m.kind, s.name as source, m.ce_id as id, m.job_id as job
  from command m
  left join source s on s.id = m.source_id
 where case when pg_temp.audit_is_json(m.outcome) then jsonb_typeof(m.outcome::jsonb) <> 'object' else true end
union all
select 'job of the command does not exist', m.kind, s.name, m.ce_id, m.job_id
  from command m
  left join source s on s.id = m.source_id
 where m.job_id is not null
   and not exists (select from job j where j.id = m.job_id)
union all
select 'command of the job does not exist', j.kind, s.name, j.ce_id, j.id
  from job j
  left join source s on s.id = j.source_id
 where not exists (select from command m
                    where m.job_id = j.id and m.source_id = j.source_id and m.ce_id = j.ce_id)
