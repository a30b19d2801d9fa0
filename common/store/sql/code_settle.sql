-- $1 text[] key, $2 int[] change
-- The caller has locked them all.
update code c
   set uses = c.uses + s.change
  from unnest($1::text[], $2::int[]) as s (key, change)
 where c.key = s.key
