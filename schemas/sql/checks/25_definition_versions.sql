-- SPDX-License-Identifier: Apache-2.0
-- A definition's version is the number of its changes in the history, the last of which is that version; none is newer
-- than the fleet's version of definitions, which all caches go by.
with defined as (
    select 1 as kind, id, ext_id, version, def_version from campaign
    union all
    select 2, id, ext_id, version, def_version from discount
    union all
    select 3, id, ext_id, version, def_version from coupon
    union all
    select 4, id, ext_id, version, def_version from affiliate
), changed as (
    select kind, id, count(*) as changes, max(version) as version
      from definition_history
     group by kind, id
)
select d.kind, d.ext_id as id, d.version, h.version as history, h.changes, d.def_version, v.version as fleet
  from defined d
 cross join definition_version v
  left join changed h on h.kind = d.kind and h.id = d.id
 where d.version is distinct from h.version
    or d.version is distinct from h.changes
    or d.def_version > v.version
