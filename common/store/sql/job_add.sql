-- $1 uuid id, $2 int8 rows, $3 numeric checksum, $4 bool lane_is_done
-- Nothing comes back unless the job is running. A progress event is due each second or 5 % of the work.
update job
   set done = done + $2,
       checksum = mod(checksum + $3, 18446744073709551616),
       lanes_left = lanes_left - case when $4 then 1 else 0 end,
       progress_at = case
           when progress_at <= clock_timestamp() - interval '1 second'
             or done * 20 / greatest(total, 1) <> (done + $2) * 20 / greatest(total, 1) then clock_timestamp()
           else progress_at
       end
 where id = $1 and state = 1
returning done, lanes_left, checksum, progress_at >= statement_timestamp() as progress
