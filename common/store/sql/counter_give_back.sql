-- $1 int2[] scope, $2 text[] subject, $3 bytea[] customer, $4 int8[] uses
-- In key order. Only counters that are there: one is made when a limit is, with what the ledger has by then.
update counter c
   set uses = c.uses - g.uses
  from (select * from unnest($1::smallint[], $2::text[], $3::bytea[], $4::int8[]) as a (scope, subject, customer, uses)
         order by a.scope, a.subject collate "C", a.customer) g
 where c.scope = g.scope and c.subject = g.subject and c.customer = g.customer
