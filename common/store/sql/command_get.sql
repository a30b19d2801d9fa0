-- $1 int2 kind, $2 int source, $3 text ce_id
select hash, partition, "offset", at, outcome_type, outcome_key, outcome, job_id
  from command
 where kind = $1 and source_id = $2 and ce_id = $3
