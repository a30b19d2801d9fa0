-- $1 int batch, $2 text[] key, $3 int[] serial
-- The careful way: what is taken already is left out. In the order of the index, so that two workers do not wait for
-- each other in a circle.
insert into code (key, batch_id, serial)
select c.key, $1, c.serial
  from unnest($2::text[], $3::int[]) as c (key, serial)
 order by c.key collate "C"
on conflict (key) do nothing
returning serial
