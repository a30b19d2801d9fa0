-- $1 int batch, $2 int first, $3 int last, $4 text snapshot
-- Codes of the serials [first, last), all of which lanes had been through at the snapshot; left out is what the overflow
-- has placed since (attempts from 9 on are its).
select c.key, c.serial, c.uses, c.flags, c.max_uses
  from code c
 where c.batch_id = $1
   and c.serial >= $2
   and c.serial < $3
   and not exists (select 1
                     from code_redrawn r
                    where r.batch_id = $1
                      and r.serial = c.serial
                      and r.serial >= $2
                      and r.serial < $3
                      and r.placed
                      and r.attempt > 8
                      and not pg_visible_in_snapshot(r.xid, $4::pg_snapshot))
 order by c.serial
