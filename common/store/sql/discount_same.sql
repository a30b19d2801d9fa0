-- $1 int id, $2 text name, $3 int2 kind, $4 int percent_bp, $5 int8 amount_minor, $6 text currency, $7 int8 max_minor
select (name, kind, percent_bp, amount_minor, currency, max_minor)
       is not distinct from ($2::text, $3::int2, $4::int, $5::int8, $6::text, $7::int8) as same
  from discount
 where id = $1
