-- SPDX-License-Identifier: Apache-2.0
-- No counter is beyond the limit it was taken under.
select scope, case when scope = 1 then (select k.batch_id || '.' || k.serial from code k where k.key = counter.subject collate "C")
            else subject end as subject, encode(customer, 'hex') as customer, uses, most
  from counter
 where uses < 0
    or uses > most
