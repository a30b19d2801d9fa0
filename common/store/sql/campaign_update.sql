-- $1 int id, $2 int parent, $3 text name, $4 text description, $5 int2 status, $6 timestamptz starts_at, $7 timestamptz ends_at, $8 int8 total_limit, $9 int8 customer_limit, $10 int8 def_version, $11 timestamptz at, $12 text by
update campaign
   set parent_id = $2,
       name = $3,
       description = $4,
       status = $5,
       starts_at = $6,
       ends_at = $7,
       total_limit = $8,
       customer_limit = $9,
       version = version + 1,
       def_version = $10,
       updated_at = $11,
       updated_by = $12
 where id = $1
returning version
