-- $1 int id, $2 int parent, $3 text name, $4 text description, $5 int2 status, $6 timestamptz starts_at, $7 timestamptz ends_at, $8 int8 total_limit, $9 int8 customer_limit
select (parent_id, name, description, status, starts_at, ends_at, total_limit, customer_limit)
       is not distinct from ($2::int, $3::text, $4::text, $5::int2, $6::timestamptz, $7::timestamptz, $8::int8, $9::int8) as same
  from campaign
 where id = $1
