-- SPDX-License-Identifier: Apache-2.0
-- A counter holds the units that the ledger has for its code, coupon or campaign (as it was then), in total or for one
-- identifier of a customer.
with use as (
    select r.code, r.coupon_id, w.path, r.units, who.customer
      from redemption r
      left join campaign_path w on w.id = r.path_id
     cross join lateral (values (''::bytea),
                                (r.customer),
                                (case when r.email is distinct from r.customer then r.email end)) as who (customer)
     where r.state = 1 and who.customer is not null
), ledger as (
    select 1 as scope, code as subject, customer, sum(units) as units
      from use
     where customer <> ''::bytea
     group by code, customer
    union all
    select 2, coupon_id::text, customer, sum(units)
      from use
     group by coupon_id, customer
    union all
    select 3, node::text, customer, sum(units)
      from use
     cross join lateral unnest(path) as node
     group by node, customer
)
select c.scope, case when c.scope = 1 then (select k.batch_id || '.' || k.serial from code k where k.key = c.subject collate "C")
            else c.subject end as subject, encode(c.customer, 'hex') as customer,
       c.uses, coalesce(l.units, 0) as ledger
  from counter c
  left join ledger l on l.scope = c.scope and l.subject collate "C" = c.subject and l.customer = c.customer
 where c.uses <> coalesce(l.units, 0)
