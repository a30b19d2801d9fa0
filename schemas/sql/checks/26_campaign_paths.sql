-- SPDX-License-Identifier: Apache-2.0
-- A campaign's path is its parent's with itself behind it.
select c.ext_id as id, w.path, p.path as parent_path
  from campaign c
  left join campaign_path w on w.id = c.path_id
  left join campaign up on up.id = c.parent_id
  left join campaign_path p on p.id = up.path_id
 where w.path is distinct from coalesce(p.path, '{}'::int[]) || c.id
