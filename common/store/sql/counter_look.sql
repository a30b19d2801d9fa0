-- $1 int2[] scope, $2 text[] subject, $3 bytea[] customer
select c.scope, c.subject, c.customer, c.uses
  from counter c
 where (c.scope, c.subject, c.customer) in (select * from unnest($1::smallint[], $2::text[], $3::bytea[]))
