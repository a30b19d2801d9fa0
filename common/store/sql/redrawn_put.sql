-- $1 int batch, $2 int[] serial, $3 int[] attempt, $4 bool[] placed
insert into code_redrawn (batch_id, serial, attempt, placed)
select $1, r.serial, r.attempt, r.placed
  from unnest($2::int[], $3::int[], $4::bool[]) as r (serial, attempt, placed)
