-- $1 uuid job, $2 int2 lane, $3 int n, $4 int epoch, $5 int8 first, $6 int8 last, $7 int8 rows, $8 numeric checksum, $9 int partition, $10 int8 offset, $11 int2 next_lane, $12 int next_n, $13 int next_epoch, $14 int8 job_done, $15 int2 says, $16 jsonb detail
insert into chunk (job_id, lane, n, epoch, first, last, rows, checksum, partition, "offset", next_lane, next_n, next_epoch,
                   job_done, says, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
returning at
