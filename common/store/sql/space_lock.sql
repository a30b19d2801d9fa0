-- $1 text fingerprint
select id, live from space where fingerprint = $1 for update
