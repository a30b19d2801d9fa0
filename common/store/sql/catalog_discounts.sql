-- $1 int8 since
select id, ext_id, name, kind, percent_bp, amount_minor, currency, max_minor, archived, version
  from discount
 where def_version > $1
