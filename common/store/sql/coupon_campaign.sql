-- $1 text ext_id
-- A campaign as the home of a coupon.
select c.id,
       exists (select from campaign a where a.id = any (p.path) and a.status = 3) as archived
  from campaign c
  join campaign_path p on p.id = c.path_id
 where c.ext_id = $1
