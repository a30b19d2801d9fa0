-- $1 text ext_id
select id, version, archived from affiliate where ext_id = $1
