-- $1 int[] source, $2 text[] ce_id
select r.line
  from unnest($1::int[], $2::text[]) as f (source, ce_id)
  join redemption r on r.source_id = f.source and r.ce_id = f.ce_id
 order by r.source_id, r.ce_id, r.line
   for update of r
