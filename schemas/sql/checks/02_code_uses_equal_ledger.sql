-- SPDX-License-Identifier: Apache-2.0
-- A code's uses are the units of its redemptions that were not given back. (A deleted code keeps its uses when one is.)
select c.batch_id || '.' || c.serial as code, c.uses, coalesce(l.units, 0) as ledger
  from code c
  left join (select r.code, sum(r.units) as units
               from redemption r
              where r.state = 1
              group by r.code) l on l.code = c.key
 where c.uses <> coalesce(l.units, 0)
   and (c.flags & 2 = 0 or c.uses < coalesce(l.units, 0))
