-- $1 int id, $2 text external_id, $3 text email, $4 text name
select (external_id, email, name) is not distinct from ($2::text, $3::text, $4::text) as same
  from affiliate
 where id = $1
