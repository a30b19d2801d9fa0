-- $1 text[] ext_id
-- What a coupon's list of discounts names, in its order; id is null where there is none.
select d.id, d.archived, d.currency
  from unnest($1::text[]) with ordinality as a (ext_id, n)
  left join discount d on d.ext_id = a.ext_id
 order by a.n
