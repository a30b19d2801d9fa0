-- $1 text id
-- A job by its id, else by the id of its command; at most two, so that an ambiguous one shows.
select id, false as by_command
  from job
 where id::text = lower($1)
union all
select id, true
  from job
 where ce_id = $1
   and not exists (select from job where id::text = lower($1))
 limit 2
