-- SPDX-License-Identifier: Apache-2.0
-- Every code belongs to a batch.
select c.batch_id as batch, count(*) as codes
  from code c
 where not exists (select from batch b where b.id = c.batch_id)
 group by c.batch_id
