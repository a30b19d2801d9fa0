-- $1 int id, $2 text currency
-- Does a coupon use this discount beside an amount of another currency?
select exists (select
                 from coupon_discount mine
                 join coupon c on c.id = mine.coupon_id and not c.archived
                 join coupon_discount other on other.coupon_id = mine.coupon_id and other.discount_id <> mine.discount_id
                 join discount d on d.id = other.discount_id
                where mine.discount_id = $1 and d.currency <> $2) as clash
