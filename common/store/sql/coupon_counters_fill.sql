-- $1 int coupon, $2 bool total, $3 int8 most
-- Counters of a new limit, from the ledger: all of them, or none when one would exceed the limit. Returns the
-- highest. A redemption counts under each of its customer's identifiers, once.
with counted as materialized (
    select ''::bytea as customer, sum(r.units)::int8 as uses
      from redemption r
     where $2 and r.state = 1 and r.coupon_id = $1
    having sum(r.units) > 0
    union all
    select w.customer, sum(r.units)::int8
      from redemption r
     cross join lateral (select r.customer union select r.email) as w (customer)
     where not $2 and r.state = 1 and r.coupon_id = $1 and w.customer is not null
     group by w.customer
), worst as (
    select coalesce(max(uses), 0)::int8 as uses from counted
), filled as (
    insert into counter (scope, subject, customer, uses, most)
    select 2, $1::text, customer, uses, $3
      from counted
     where (select uses from worst) <= $3
    on conflict (scope, subject, customer)
        do update set uses = excluded.uses, most = excluded.most
)
select uses from worst
