-- $1 int2[] scope, $2 text[] subject, $3 bytea[] customer
-- Those that are there, in key order.
select c.scope, c.subject, c.customer, c.uses
  from counter c
 where (c.scope, c.subject, c.customer) in (select * from unnest($1::smallint[], $2::text[], $3::bytea[]))
 order by c.scope, c.subject, c.customer
   for update
