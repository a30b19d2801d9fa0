-- SPDX-License-Identifier: Apache-2.0
-- Where a limit stands, whatever the ledger has taken is counted: in total, and for each identifier of a customer. (A
-- code's uses in total are a column of its own.)
with use as (
    select r.code, r.coupon_id, w.path, r.units, who.customer,
           coalesce(b.customer_limit, p.code_customer_limit) > 0 as code_limited
      from redemption r
      left join campaign_path w on w.id = r.path_id
      left join batch b on b.id = r.batch_id
      left join coupon p on p.id = r.coupon_id
     cross join lateral (values (''::bytea),
                                (r.customer),
                                (case when r.email is distinct from r.customer then r.email end)) as who (customer)
     where r.state = 1 and who.customer is not null
), ledger as (
    select 1 as scope, u.code as subject, u.customer, sum(u.units) as units
      from use u
     where u.code_limited and u.customer <> ''::bytea
     group by u.code, u.customer
    union all
    select 2, u.coupon_id::text, u.customer, sum(u.units)
      from use u
      join coupon p on p.id = u.coupon_id
     where case when u.customer = ''::bytea then p.total_limit else p.customer_limit end > 0
     group by u.coupon_id, u.customer
    union all
    select 3, c.id::text, u.customer, sum(u.units)
      from use u
     cross join lateral unnest(u.path) as node
      join campaign c on c.id = node
     where case when u.customer = ''::bytea then c.total_limit else c.customer_limit end > 0
     group by c.id, u.customer
)
select l.scope, case when l.scope = 1 then (select k.batch_id || '.' || k.serial from code k where k.key = l.subject collate "C")
                     else l.subject end as subject,
       encode(l.customer, 'hex') as customer, l.units as ledger
  from ledger l
 where l.units > 0
   and not exists (select from counter c
                    where c.scope = l.scope and c.subject = l.subject collate "C" and c.customer = l.customer)
