-- $1 int source, $2 text ce_id
select line from redemption where source_id = $1 and ce_id = $2 order by line for update
