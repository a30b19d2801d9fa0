-- $1 uuid job
-- The parts that count, in the order of their rows.
select detail ->> 'file', (detail ->> 'rows')::int8, (detail ->> 'bytes')::int8, detail ->> 'sha256', detail ->> 'read_at'
  from chunk
 where job_id = $1 and detail is not null
 order by lane, n
