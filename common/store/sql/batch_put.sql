-- $1 uuid job, $2 int coupon, $3 int space, $4 int2 origin, $5 text pattern, $6 int size, $7 bool active, $8 int max_uses, $9 int customer_limit, $10 timestamptz starts, $11 timestamptz ends, $12 timestamptz created
with made as (
    insert into batch (job_id, coupon_id, space_id, origin, pattern, size, active, max_uses, customer_limit, starts_at, ends_at,
                       created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    returning id
)
select id from made
