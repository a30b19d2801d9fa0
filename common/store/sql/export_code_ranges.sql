-- $1 int[] coupon
-- Serials of the coupons' batches whose lanes are through at this moment, joined where they lie end to end, and the
-- snapshot that says which moment it is. A serial in them may still be waiting for the overflow (lane 16).
with done as (
    select b.id as batch_id, c.first, c.last,
           case when c.first = lag(c.last) over w then 0 else 1 end as begins
      from batch b
      join chunk c on c.job_id = b.job_id and c.lane < 16 and c.last > c.first
     where b.coupon_id = any ($1)
    window w as (partition by b.id order by c.first)
), numbered as (
    select batch_id, first, last, sum(begins) over (partition by batch_id order by first) as range
      from done
), ranges as (
    select batch_id, min(first) as first, max(last) as last from numbered group by batch_id, range
)
select pg_current_snapshot()::text,
       array_agg(batch_id order by batch_id, first),
       array_agg(first order by batch_id, first),
       array_agg(last order by batch_id, first)
  from ranges
