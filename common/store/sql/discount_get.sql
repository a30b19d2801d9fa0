-- $1 text ext_id
select id, version, archived from discount where ext_id = $1
