-- $1 int id, $2 int campaign, $3 text name, $4 bool active, $5 bool apply_best, $6 timestamptz starts_at, $7 timestamptz ends_at, $8 int8 total_limit, $9 int8 customer_limit, $10 int code_max_uses, $11 int code_customer_limit, $12 text pattern, $13 int8 def_version, $14 timestamptz at, $15 text by
update coupon
   set campaign_id = $2,
       name = $3,
       active = $4,
       apply_best = $5,
       starts_at = $6,
       ends_at = $7,
       total_limit = $8,
       customer_limit = $9,
       code_max_uses = $10,
       code_customer_limit = $11,
       pattern = $12,
       version = version + 1,
       def_version = $13,
       updated_at = $14,
       updated_by = $15
 where id = $1
returning version
