-- $1 int batch, $2 int limit
select serial, attempt
  from code_redrawn
 where batch_id = $1 and not placed
 order by serial
 limit $2
