-- $1 int batch
-- attempt -1: the walk has been everywhere, the space is full
select count(*) as redrawn, count(*) filter (where not placed) as open, bool_or(attempt = -1) as full
  from code_redrawn
 where batch_id = $1
