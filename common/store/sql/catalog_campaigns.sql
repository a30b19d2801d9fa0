-- $1 int8 since
select id, ext_id, parent_id, path_id, name, status, starts_at, ends_at, total_limit, customer_limit, version
  from campaign
 where def_version > $1
