-- $1 text fingerprint, $2 text pattern, $3 numeric capacity, $4 numeric usable
insert into space (fingerprint, pattern, capacity, usable)
values ($1, $2, $3, $4)
on conflict (fingerprint) do nothing
