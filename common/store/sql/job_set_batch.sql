-- $1 uuid job, $2 int batch
update job set batch_id = $2 where id = $1
