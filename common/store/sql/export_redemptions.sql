-- $1 int8 first, $2 int8 last, $3 text snapshot, $4 int campaign, $5 bool descendants, $6 int coupon
-- Rows of the ledger with numbers in [first, last) that the snapshot saw, of a coupon or else of a campaign as the path
-- was when they were written. Rows of release commands are no redemptions.
select r.seq, r.at, r.state, s.name, r.ce_id, r.line, r.code, r.batch_id, c.serial, r.coupon_id, p.path, r.order_id,
       r.currency, r.order_minor, r.units, r.discount_minor, r.reason, r.released_at, r.customer, r.email
  from redemption r
  join source s on s.id = r.source_id
  left join campaign_path p on p.id = r.path_id
  left join code c on c.key = r.code and c.batch_id = r.batch_id
 where r.seq >= $1
   and r.seq < $2
   and r.code is not null
   and r.state <> 5
   and pg_visible_in_snapshot(r.xid, $3::pg_snapshot)
   and case
           when $6::int is not null then r.coupon_id = $6::int
           when $5::bool then $4::int = any (p.path)
           else p.path[array_upper(p.path, 1)] = $4::int
       end
 order by r.seq
