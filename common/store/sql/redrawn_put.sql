-- $1 int batch, $2 int[] serial, $3 int[] attempt, $4 bool[] placed
insert into code_redrawn as r (batch_id, serial, attempt, placed)
select $1, d.serial, d.attempt, d.placed
  from unnest($2::int[], $3::int[], $4::bool[]) as d (serial, attempt, placed)
on conflict (batch_id, serial) do update
   set attempt = excluded.attempt, placed = excluded.placed, at = excluded.at, xid = excluded.xid
