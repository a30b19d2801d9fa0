-- $1 int[] source, $2 text[] ce_id
select r.source_id, r.ce_id, r.line, r.state, r.units, r.partition, r."offset", r.at, r.code, r.batch_id, r.coupon_id, p.path,
       r.uses_left, r.discount_id, r.discount_minor, r.order_minor, r.currency, r.order_id, r.customer, r.email, r.hash, r.reason,
       r.detail
  from (select distinct source, ce_id from unnest($1::int[], $2::text[]) as a (source, ce_id)) f
  join redemption r on r.source_id = f.source and r.ce_id = f.ce_id
  left join campaign_path p on p.id = r.path_id
 order by r.source_id, r.ce_id, r.line
