-- $1 text name
insert into source (name) values ($1) on conflict (name) do nothing returning id
