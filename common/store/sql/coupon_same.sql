-- $1 int id, $2 int campaign, $3 text name, $4 bool active, $5 bool apply_best, $6 timestamptz starts_at, $7 timestamptz ends_at, $8 int8 total_limit, $9 int8 customer_limit, $10 int code_max_uses, $11 int code_customer_limit, $12 text pattern, $13 int[] discounts
select (campaign_id, name, active, apply_best, starts_at, ends_at, total_limit, customer_limit, code_max_uses,
        code_customer_limit, pattern)
       is not distinct from ($2::int, $3::text, $4::bool, $5::bool, $6::timestamptz, $7::timestamptz, $8::int8, $9::int8,
                             $10::int, $11::int, $12::text)
       and array(select discount_id from coupon_discount where coupon_id = $1 order by position) = $13::int[] as same
  from coupon
 where id = $1
