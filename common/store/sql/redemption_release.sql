-- $1 int source, $2 text ce_id, $3 int2[] line, $4 timestamptz at
update redemption set state = 3, released_at = $4 where source_id = $1 and ce_id = $2 and line = any ($3) and state = 1
