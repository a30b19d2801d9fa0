-- $1 int id, $2 int8 def_version, $3 timestamptz at, $4 text by
update coupon
   set archived = true, version = version + 1, def_version = $2, updated_at = $3, updated_by = $4
 where id = $1
returning version
