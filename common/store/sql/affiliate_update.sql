-- $1 int id, $2 text external_id, $3 text email, $4 text name, $5 int8 def_version, $6 timestamptz at, $7 text by
update affiliate
   set external_id = $2,
       email = $3,
       name = $4,
       version = version + 1,
       def_version = $5,
       updated_at = $6,
       updated_by = $7
 where id = $1
returning version
