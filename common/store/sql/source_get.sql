-- $1 text name
-- young: not older than the open transaction, so it may be this transaction's own row and vanish with it.
select id, coalesce(age(xmin) <= age(pg_current_xact_id_if_assigned()::xid), false) as young
  from source
 where name = $1
