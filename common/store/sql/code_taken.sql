-- $1 text[] key
-- Places in the list, from 1 on, of keys that are taken. The sub-select is never planned as a scan of the table.
select k.place::int
  from unnest($1::text[]) with ordinality as k (key, place)
 where (select true from code c where c.key = k.key)
