-- $1 int2 kind, $2 int id, $3 int8 version, $4 timestamptz at, $5 text by, $6 text action, $7 text data, $8 bool structured
-- A structured command brings its envelope along; only the data is kept.
insert into definition_history (kind, id, version, at, by, action, data)
values ($1, $2, $3, $4, $5, $6, case when $8 then $7::jsonb -> 'data' else $7::jsonb end)
