-- $1 int coupon, $2 int[] discounts
insert into coupon_discount (coupon_id, position, discount_id)
select $1, n - 1, id from unnest($2::int[]) with ordinality as a (id, n)
