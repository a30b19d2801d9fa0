-- $1 int id
select exists (select
                 from coupon_discount cd
                 join coupon c on c.id = cd.coupon_id
                where cd.discount_id = $1 and not c.archived) as used
