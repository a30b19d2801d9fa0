-- $1 int campaign, $2 int8 version, $3 int8 changes, $4 int8 due, $5 text data
insert into campaign_snapshot as s (campaign_id, version, changes, due, published_at, data)
values ($1, $2, $3, $4, clock_timestamp(), $5)
on conflict (campaign_id) do update
   set version = excluded.version, changes = excluded.changes, due = excluded.due,
       published_at = excluded.published_at, data = excluded.data
