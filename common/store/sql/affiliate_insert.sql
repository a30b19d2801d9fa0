-- $1 text ext_id, $2 text external_id, $3 text email, $4 text name, $5 int8 def_version, $6 timestamptz at, $7 text by
insert into affiliate (ext_id, external_id, email, name, version, def_version, created_at, created_by, updated_at,
                       updated_by)
values ($1, $2, $3, $4, 1, $5, $6, $7, $6, $7)
returning id
