-- $1 int id, $2 text name, $3 int2 kind, $4 int percent_bp, $5 int8 amount_minor, $6 text currency, $7 int8 max_minor, $8 int8 def_version, $9 timestamptz at, $10 text by
update discount
   set name = $2,
       kind = $3,
       percent_bp = $4,
       amount_minor = $5,
       currency = $6,
       max_minor = $7,
       version = version + 1,
       def_version = $8,
       updated_at = $9,
       updated_by = $10
 where id = $1
returning version
