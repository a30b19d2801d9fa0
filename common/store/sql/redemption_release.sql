-- $1 int[] source, $2 text[] ce_id, $3 int2[] line, $4 timestamptz[] at
update redemption r
   set state = 3, released_at = f.at
  from unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[]) as f (source, ce_id, line, at)
 where r.source_id = f.source and r.ce_id = f.ce_id and r.line = f.line and r.state = 1
