-- $1 text ext_id
select id, version, archived, campaign_id, total_limit, customer_limit, code_max_uses, code_customer_limit
  from coupon
 where ext_id = $1
