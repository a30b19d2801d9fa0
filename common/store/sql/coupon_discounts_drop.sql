-- $1 int coupon
delete from coupon_discount where coupon_id = $1
