-- $1 timestamptz at, $2 text message
-- The jobs that an archive command has cancelled, told by the moment and by their reason, which names the command.
select id
  from job
 where state = 5
   and finished_at = $1
   and outcome::jsonb #>> '{reasons,0,message}' = $2
 order by id
