-- $1 uuid id, $2 int2 state, $3 text outcome, $4 timestamptz finished
-- Ends a job that is not over yet. What a job that makes codes did not make, it gives back to its space.
with ended as (
    update job
       set state = $2, outcome = $3, finished_at = coalesce($4, clock_timestamp())
     where id = $1 and state < 3
    returning batch_id, total - done as unmade
), given_back as (
    update space s
       set live = s.live - e.unmade
      from ended e
      join batch b on b.id = e.batch_id
     where s.id = b.space_id and e.unmade > 0
)
select 1 from ended
