-- $1 text ext_id, $2 int campaign, $3 text name, $4 bool active, $5 bool apply_best, $6 timestamptz starts_at, $7 timestamptz ends_at, $8 int8 total_limit, $9 int8 customer_limit, $10 int code_max_uses, $11 int code_customer_limit, $12 text pattern, $13 int8 def_version, $14 timestamptz at, $15 text by
insert into coupon (ext_id, campaign_id, name, active, apply_best, starts_at, ends_at, total_limit, customer_limit,
                    code_max_uses, code_customer_limit, pattern, version, def_version, created_at, created_by,
                    updated_at, updated_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $15, $14, $15)
returning id
