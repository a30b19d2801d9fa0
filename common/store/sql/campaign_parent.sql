-- $1 text ext_id, $2 text child
-- A campaign as the parent of another: its depth, whether it or one above it is archived, whether it is the child
-- itself or lies below it, and how many levels the child and what is below it take up.
select c.id,
       cardinality(p.path) as depth,
       exists (select from campaign a where a.id = any (p.path) and a.status = 3) as archived,
       coalesce(s.id = any (p.path), false) as inside,
       coalesce((select max(cardinality(d.path)) - cardinality(sp.path)
                   from campaign x
                   join campaign_path d on d.id = x.path_id
                  where s.id = any (d.path)), 0) + 1 as levels
  from campaign c
  join campaign_path p on p.id = c.path_id
  left join campaign s on s.ext_id = $2
  left join campaign_path sp on sp.id = s.path_id
 where c.ext_id = $1
