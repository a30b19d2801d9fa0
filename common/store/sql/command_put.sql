-- $1 int2 kind, $2 int source, $3 text ce_id, $4 bytea hash, $5 int partition, $6 int8 offset, $7 timestamptz at, $8 text outcome_type, $9 text outcome_key, $10 text outcome, $11 uuid job
insert into command (kind, source_id, ce_id, hash, partition, "offset", at, outcome_type, outcome_key, outcome, job_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
