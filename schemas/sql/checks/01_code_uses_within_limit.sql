-- SPDX-License-Identifier: Apache-2.0
-- No code is used more often than it may be: its own limit, else its batch's, else its coupon's (0: unlimited).
select c.batch_id || '.' || c.serial as code, c.uses,
       coalesce(c.max_uses, b.max_uses, p.code_max_uses) as max_uses
  from code c
  join batch b on b.id = c.batch_id
  join coupon p on p.id = b.coupon_id
 where c.uses < 0
    or c.uses > coalesce(c.max_uses, b.max_uses, p.code_max_uses)
   and coalesce(c.max_uses, b.max_uses, p.code_max_uses) <> 0
