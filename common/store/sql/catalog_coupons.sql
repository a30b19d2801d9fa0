-- $1 int8 since
select id, ext_id, campaign_id, name, active, archived, apply_best, starts_at, ends_at, total_limit, customer_limit,
       code_max_uses, code_customer_limit, pattern, version,
       array(select discount_id from coupon_discount where coupon_id = coupon.id order by position) as discounts
  from coupon
 where def_version > $1
