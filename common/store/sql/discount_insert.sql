-- $1 text ext_id, $2 text name, $3 int2 kind, $4 int percent_bp, $5 int8 amount_minor, $6 text currency, $7 int8 max_minor, $8 int8 def_version, $9 timestamptz at, $10 text by
insert into discount (ext_id, name, kind, percent_bp, amount_minor, currency, max_minor, version, def_version,
                      created_at, created_by, updated_at, updated_by)
values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $9, $10)
returning id
