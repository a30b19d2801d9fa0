-- $1 int2[] scope, $2 text[] subject, $3 bytea[] customer, $4 int8[] uses, $5 int8[] most
-- In key order. A counter that is fuller by now than it was when it was read ends in counter_within_limit, never above the limit.
insert into counter as c (scope, subject, customer, uses, most)
select a.scope, a.subject, a.customer, a.uses, a.most
  from unnest($1::smallint[], $2::text[], $3::bytea[], $4::int8[], $5::int8[]) as a (scope, subject, customer, uses, most)
 order by a.scope, a.subject collate "C", a.customer
on conflict (scope, subject, customer) do update set uses = c.uses + excluded.uses, most = excluded.most
