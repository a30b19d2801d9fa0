-- $1 int id, $2 int8 def_version
-- After a change of its parent: new paths for a campaign and all below it. The old paths stay, the ledger names
-- them; version does not move, since what is below was not itself changed.
with below as materialized (
    select c.id, p.path[array_position(p.path, $1) :] as rest
      from campaign c
      join campaign_path p on p.id = c.path_id
     where $1 = any (p.path)
), wanted as materialized (
    select below.id, coalesce(above.path, '{}') || below.rest as path
      from below
      join campaign self on self.id = $1
      left join campaign parent on parent.id = self.parent_id
      left join campaign_path above on above.id = parent.path_id
), added as (
    insert into campaign_path (path)
    select path from wanted
    on conflict (path) do nothing
    returning id, path
)
update campaign c
   set path_id = coalesce(added.id, have.id),
       def_version = $2
  from wanted
  left join added on added.path = wanted.path
  left join campaign_path have on have.path = wanted.path
 where c.id = wanted.id
