-- $1 uuid id, $2 int8 rows, $3 numeric checksum, $4 bool lane_is_done
-- Nothing comes back unless the job is running. A progress event is due each second or 5 % of the work. The row is
-- locked first: whether one is due is then told from what the chunk before this one has left, however many wait.
with held as (
    select id,
           progress_at <= clock_timestamp() - interval '1 second'
               or done * 20 / greatest(total, 1) <> (done + $2) * 20 / greatest(total, 1) as due
      from job
     where id = $1 and state = 1
       for update
)
update job j
   set done = j.done + $2,
       checksum = mod(j.checksum + $3, 18446744073709551616),
       lanes_left = j.lanes_left - case when $4 then 1 else 0 end,
       progress_at = case when h.due then clock_timestamp() else j.progress_at end
  from held h
 where j.id = h.id
returning j.done, j.lanes_left, j.checksum, h.due
