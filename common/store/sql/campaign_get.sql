-- $1 text ext_id
select id, version, status = 3 as archived, parent_id, total_limit, customer_limit from campaign where ext_id = $1
