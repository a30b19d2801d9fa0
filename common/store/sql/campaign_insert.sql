-- $1 text ext_id, $2 int parent, $3 text name, $4 text description, $5 int2 status, $6 timestamptz starts_at, $7 timestamptz ends_at, $8 int8 total_limit, $9 int8 customer_limit, $10 int8 def_version, $11 timestamptz at, $12 text by
with new as materialized (
    select nextval(pg_get_serial_sequence('campaign', 'id'))::int as id
), own as (
    insert into campaign_path (path)
    select coalesce((select p.path
                       from campaign c
                       join campaign_path p on p.id = c.path_id
                      where c.id = $2), '{}') || new.id
      from new
    returning id
)
insert into campaign (id, ext_id, parent_id, path_id, name, description, status, starts_at, ends_at, total_limit,
                      customer_limit, version, def_version, created_at, created_by, updated_at, updated_by)
overriding system value
select new.id, $1, $2, own.id, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $11, $12
  from new, own
returning id
