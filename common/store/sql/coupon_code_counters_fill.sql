-- $1 int coupon, $2 int8 most
-- Uses of each code per customer, from the ledger, for the codes that take this limit from their coupon: all of
-- them, or none when one would exceed the limit. Returns the highest.
with counted as materialized (
    select r.code, w.customer, sum(r.units)::int8 as uses
      from redemption r
      join batch b on b.id = r.batch_id
     cross join lateral (select r.customer union select r.email) as w (customer)
     where b.coupon_id = $1
       and b.customer_limit is null
       and r.state = 1
       and w.customer is not null
     group by r.code, w.customer
), worst as (
    select coalesce(max(uses), 0)::int8 as uses from counted
), filled as (
    insert into counter (scope, subject, customer, uses, most)
    select 1, code, customer, uses, $2
      from counted
     where (select uses from worst) <= $2
    on conflict (scope, subject, customer)
        do update set uses = excluded.uses, most = excluded.most
)
select uses from worst
