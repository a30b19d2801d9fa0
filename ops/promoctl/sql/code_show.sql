-- $1 text key, $2 int limit
-- One code as a JSON object, with the newest of its ledger rows. All windows hold together.
select jsonb_build_object(
           'code', c.key,
           'id', c.batch_id || '.' || c.serial,
           'state', case
               when c.flags & 2 <> 0 then 'deleted'
               when c.flags & 1 <> 0 or not b.active then 'inactive'
               when not p.active or p.archived then 'coupon inactive'
               when up.inactive then 'campaign inactive'
               when now() < greatest(b.starts_at, p.starts_at, up.starts_at) then 'not started'
               when now() >= least(b.ends_at, p.ends_at, up.ends_at) then 'expired'
               when coalesce(c.max_uses, b.max_uses, p.code_max_uses) <> 0
                    and c.uses >= coalesce(c.max_uses, b.max_uses, p.code_max_uses) then 'exhausted'
               else 'usable'
           end,
           'batch', c.batch_id,
           'serial', c.serial,
           'pattern', b.pattern,
           'job', b.job_id,
           'coupon', p.ext_id,
           'campaign_path', up.path,
           'uses', c.uses,
           'max_uses', nullif(coalesce(c.max_uses, b.max_uses, p.code_max_uses), 0),
           'per_customer', nullif(coalesce(b.customer_limit, p.code_customer_limit), 0),
           'starts_at', to_char(greatest(b.starts_at, p.starts_at, up.starts_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'ends_at', to_char(least(b.ends_at, p.ends_at, up.ends_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'ledger_rows', (select count(*) from redemption r where r.code = c.key),
           'ledger', coalesce((select jsonb_agg(row order by seq desc)
                                 from (select r.seq,
                                              jsonb_build_object(
                                                  'source', s.name,
                                                  'id', r.ce_id,
                                                  'line', r.line,
                                                  'state', (array['redeemed', 'refused', 'released',
                                                                  'released before', 'release'])[r.state],
                                                  'units', r.units,
                                                  'at', to_char(r.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                                                  'order', r.order_id,
                                                  'discount_minor', r.discount_minor,
                                                  'currency', r.currency,
                                                  'reason', r.reason,
                                                  'released_at',
                                                  to_char(r.released_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as row
                                         from redemption r
                                         left join source s on s.id = r.source_id
                                        where r.code = c.key
                                        order by r.seq desc
                                        limit $2) l), '[]'))::text as code
  from code c
  join batch b on b.id = c.batch_id
  join coupon p on p.id = b.coupon_id
  join campaign own on own.id = p.campaign_id
  join campaign_path w on w.id = own.path_id
 cross join lateral (select jsonb_agg(g.ext_id order by n.nth) as path,
                            max(g.starts_at) as starts_at,
                            min(g.ends_at) as ends_at,
                            bool_or(g.status <> 1) as inactive
                       from unnest(w.path) with ordinality as n (id, nth)
                       join campaign g on g.id = n.id) up
 where c.key = $1
