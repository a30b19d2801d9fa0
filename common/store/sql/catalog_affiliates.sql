-- $1 int8 since
select id, ext_id, external_id, email, name, archived, version from affiliate where def_version > $1
