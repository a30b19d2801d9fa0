-- SPDX-License-Identifier: Apache-2.0
-- A redemption names a source, batch, coupon, campaign path, discount and code that exist.
select s.name as source, r.ce_id as id, r.line, r.state, m.missing
  from redemption r
  left join source s on s.id = r.source_id
 cross join lateral (values
       ('source', s.id is null),
       ('batch', r.batch_id is not null and not exists (select from batch b where b.id = r.batch_id)),
       ('coupon', r.coupon_id is not null and not exists (select from coupon p where p.id = r.coupon_id)),
       ('path', r.path_id is not null and not exists (select from campaign_path w where w.id = r.path_id)),
       ('discount', r.discount_id is not null and not exists (select from discount d where d.id = r.discount_id)),
       ('code', r.code is not null and r.state in (1, 3) and not exists (select from code c where c.key = r.code)),
       ('code, coupon or path', r.state in (1, 3)
                                and (r.code is null or r.coupon_id is null or r.path_id is null)))
       as m (missing, yes)
 where m.yes
