-- SPDX-License-Identifier: Apache-2.0
-- Where a limit stands, whatever the ledger has taken is counted: in total, and for each identifier of a customer. (A
-- code's uses in total are a column of its own.)
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
, limited as (
    select 2 as scope, id::text as subject, total_limit > 0 as in_total, customer_limit > 0 as by_customer
      from coupon
    union all
    select 3, id::text, total_limit > 0, customer_limit > 0
      from campaign
    union all
    select 1, c.key, false, coalesce(b.customer_limit, p.code_customer_limit) > 0
      from code c
      join batch b on b.id = c.batch_id
      join coupon p on p.id = b.coupon_id
     where c.uses > 0
)
select l.scope, case when l.scope = 1 then (select k.batch_id || '.' || k.serial from code k where k.key = l.subject collate "C")
            else l.subject end as subject,
       encode(l.customer, 'hex') as customer, l.units as ledger
  from ledger l
  join limited d on d.scope = l.scope and d.subject = l.subject collate "C"
 where l.units > 0
   and case when l.customer = ''::bytea then d.in_total else d.by_customer end
   and not exists (select from counter c
                    where c.scope = l.scope and c.subject = l.subject collate "C" and c.customer = l.customer)
