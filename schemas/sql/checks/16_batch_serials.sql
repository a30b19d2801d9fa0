-- SPDX-License-Identifier: Apache-2.0
-- No serial of a batch occurs twice, and all lie in 0 .. size - 1.
select b.id as batch, b.size, c.serial, count(*) as codes
  from code c
  join batch b on b.id = c.batch_id
 group by b.id, b.size, c.serial
having count(*) > 1 or c.serial < 0 or c.serial >= b.size
