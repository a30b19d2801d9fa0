-- $1 text[] key, $2 int[] uses
-- Take uses where the code is there, live and has as many left; what does not come back needs a closer look. In key order
-- (the caller's session joins by nested loops), so that workers seldom wait for each other crosswise.
update code c
   set uses = c.uses + t.uses
  from (select * from unnest($1::text[], $2::int[]) as a (key, uses) order by a.key collate "C") t, batch b, coupon k
 where c.key = t.key
   and b.id = c.batch_id
   and k.id = b.coupon_id
   and c.flags & 3 = 0
   and (coalesce(c.max_uses, b.max_uses, k.code_max_uses) = 0
        or c.uses + t.uses <= coalesce(c.max_uses, b.max_uses, k.code_max_uses))
returning c.key, c.uses, c.flags, coalesce(c.max_uses, b.max_uses, k.code_max_uses) as most, c.batch_id, b.coupon_id, b.active,
          b.starts_at, b.ends_at, b.customer_limit
