-- $1 int2[] scope, $2 text[] subject, $3 bytea[] customer
-- Those that are there, in key order.
select c.scope, c.subject, c.customer, c.uses
  from unnest($1::smallint[], $2::text[], $3::bytea[]) as w (scope, subject, customer)
  join counter c on c.scope = w.scope and c.subject = w.subject and c.customer = w.customer
 order by c.scope, c.subject, c.customer
   for update of c
