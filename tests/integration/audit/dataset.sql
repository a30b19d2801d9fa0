-- SPDX-License-Identifier: Apache-2.0
-- A small fleet's data that holds everything that must hold: a campaign tree, a completed, a running and a cancelled
-- generate job, an export, redemptions of every state, counters, tallies, snapshots, ledgers.

insert into source (name) values ('shop'), ('till');
update definition_version set version = 9;

-- Definitions. Campaign 2 stands below 1, with limits of its own; 3 stands alone.
insert into campaign_path (path) values ('{1}'), ('{1,2}'), ('{3}');
insert into campaign (ext_id, parent_id, path_id, name, status, total_limit, customer_limit, version, def_version, created_at, created_by,
                      updated_at, updated_by)
values ('ROOT', null, 1, 'root', 1, 0, 0, 1, 1, now(), 'shop', now(), 'shop'),
       ('CHILD', 1, 2, 'child', 1, 50, 3, 2, 6, now(), 'shop', now(), 'shop'),
       ('ALONE', null, 3, 'alone', 1, 0, 0, 1, 7, now(), 'shop', now(), 'shop');
insert into discount (ext_id, kind, percent_bp, version, def_version, created_at, created_by, updated_at, updated_by)
values ('D15', 1, 1500, 1, 3, now(), 'shop', now(), 'shop');
insert into coupon (ext_id, campaign_id, active, total_limit, customer_limit, code_max_uses, code_customer_limit, version, def_version,
                    created_at, created_by, updated_at, updated_by)
values ('SINGLE', 2, true, 40, 0, 1, 0, 1, 4, now(), 'shop', now(), 'shop'),
       ('GROUP', 1, true, 0, 2, 0, 1, 1, 5, now(), 'shop', now(), 'shop');
insert into coupon_discount values (1, 1, 1), (2, 1, 1);
insert into affiliate (ext_id, name, version, def_version, created_at, created_by, updated_at, updated_by)
values ('AFF', 'a friend', 1, 8, now(), 'shop', now(), 'shop');
insert into definition_history (kind, id, version, at, by, action, data)
values (1, 1, 1, now(), 'shop', 'put', '{}'), (1, 2, 1, now(), 'shop', 'put', '{}'), (1, 2, 2, now(), 'shop', 'put', '{}'),
       (1, 3, 1, now(), 'shop', 'put', '{}'), (2, 1, 1, now(), 'shop', 'put', '{}'), (3, 1, 1, now(), 'shop', 'put', '{}'),
       (3, 2, 1, now(), 'shop', 'put', '{}'), (4, 1, 1, now(), 'shop', 'put', '{}');

-- Jobs: 1 generated 32 codes, the last by the overflow; 2 is half way through 32; 3 was cancelled after 4; 4 made the one
-- group code; 5 exported nothing.
create function pg_temp.job_uuid(n int) returns uuid language sql as
$$ select ('00000000-0000-5000-8000-' || lpad(n::text, 12, '0'))::uuid $$;

insert into job (id, kind, state, source_id, ce_id, campaign_id, coupon_id, params, total, done, checksum, lanes_left, width, accepted_at,
                 progress_at, finished_at, outcome)
values (pg_temp.job_uuid(1), 1, 3, 1, 'g1', 2, 1, '{}', 32, 32, 17 * 3 - 16, 0, 4, now(), now(), now(), '{"rows": 32}'),
       (pg_temp.job_uuid(2), 1, 1, 1, 'g2', 2, 1, '{}', 32, 16, 8 * 3, 8, 4, now(), now(), null, null),
       (pg_temp.job_uuid(3), 1, 5, 1, 'g3', 2, 1, '{}', 32, 4, 2 * 3, 14, 4, now(), now(), now(), '{"rows": 4}'),
       (pg_temp.job_uuid(4), 1, 3, 1, 'g4', 1, 2, '{}', 1, 1, 3, 0, 1, now(), now(), now(), '{"rows": 1}'),
       (pg_temp.job_uuid(5), 2, 3, 1, 'x1', 2, null, '{}', 0, 0, 0, 0, 4, now(), now(), now(), '{"rows": 0}');
insert into space (fingerprint, pattern, capacity, usable, live) values ('[0-9]{6}', '[0-9]{6}', 1000000, 999000, 68);
insert into batch (job_id, coupon_id, space_id, origin, pattern, size, max_uses, customer_limit, created_at)
values (pg_temp.job_uuid(1), 1, 1, 1, '[0-9]{6}', 32, null, null, now()),
       (pg_temp.job_uuid(2), 1, 1, 1, '[0-9]{6}', 32, 2, null, now()),
       (pg_temp.job_uuid(3), 1, 1, 1, '[0-9]{6}', 32, null, null, now()),
       (pg_temp.job_uuid(4), 2, null, 1, 'CDNOW-10', 1, null, null, now());
update job set batch_id = b.id from batch b where b.job_id = job.id;
insert into code (key, batch_id, serial)
select lpad((1000 + s)::text, 6, '0'), 1, s from generate_series(0, 31) as s
union all
select lpad((2000 + s)::text, 6, '0'), 2, s from generate_series(0, 15) as s
union all
select lpad((3000 + s)::text, 6, '0'), 3, s from generate_series(0, 3) as s
union all
select 'cdnow10', 4, 0;
insert into code_redrawn (batch_id, serial, attempt, placed) values (1, 31, 9, true), (1, 5, 1, true);

-- Lanes of two codes each. Job 1's last lane left one code over to lane 16.
insert into lane (job_id, lane, state, n, position, last, moved_at)
select pg_temp.job_uuid(j), l, case when l < d then 2 when l < d + 4 then 1 else 0 end, case when l < d then 1 else 0 end,
       l * 2 + case when l < d then 2 else 0 end, l * 2 + 2, now()
  from (values (1, 16), (2, 8), (3, 2)) as jobs (j, d)
 cross join generate_series(0, 15) as l;
insert into lane (job_id, lane, state, n, position, last, moved_at)
values (pg_temp.job_uuid(1), 16, 2, 1, 1, 1, now()), (pg_temp.job_uuid(4), 15, 2, 1, 1, 1, now());
insert into chunk (job_id, lane, n, epoch, first, last, rows, checksum, partition, "offset", job_done)
select l.job_id, l.lane, 0, 0, l.position - 2, l.position, 2, 3, 0, l.lane, 2 * l.lane + 2
  from lane l
 where l.state = 2 and l.lane < 16 and l.last - l.position = 0 and l.job_id <> pg_temp.job_uuid(4);
update chunk set rows = 1 where job_id = pg_temp.job_uuid(1) and lane = 15;
update chunk set checksum = 18446744073709551616 - 13 where job_id = pg_temp.job_uuid(1) and lane = 15;
insert into chunk (job_id, lane, n, epoch, first, last, rows, checksum, partition, "offset", job_done, says)
values (pg_temp.job_uuid(1), 16, 0, 0, 0, 1, 1, 3, 0, 99, 32, 2), (pg_temp.job_uuid(4), 15, 0, 0, 0, 1, 1, 3, 0, 100, 1, 2);

-- Lane 1 of job 2 did its two codes in two chunks.
update chunk set last = 3, rows = 1, checksum = 1 where job_id = pg_temp.job_uuid(2) and lane = 1;
insert into chunk (job_id, lane, n, epoch, first, last, rows, checksum, partition, "offset", job_done)
values (pg_temp.job_uuid(2), 1, 1, 0, 3, 4, 1, 2, 0, 50, 16);
update lane set n = 2 where job_id = pg_temp.job_uuid(2) and lane = 1;

insert into command (kind, source_id, ce_id, hash, partition, "offset", at, outcome_type, outcome, job_id)
select case when j.kind = 1 then 2 else 4 end, j.source_id, j.ce_id, decode(repeat('ab', 16), 'hex'), 0, 0, now(),
       'promofleet.job.accepted.v1', '{"state": "running"}', j.id
  from job j;
insert into command (kind, source_id, ce_id, hash, partition, "offset", at, outcome_type, outcome)
values (1, 1, 'c1', decode(repeat('cd', 16), 'hex'), 0, 0, now(), 'promofleet.campaign.changed.v1', '{"version": 1}');
insert into progress (worker, topic, partition, epoch, from_offset, next_offset) values ('redeem', 'promo.redeem.commands', 0, 3, 5, 8);

-- Redemptions. A customer is known by id (aa..) and e-mail (bb..), another by id (cc..), a third gives the same text as both.
insert into redemption (source_id, ce_id, line, state, units, partition, "offset", at, code, batch_id, coupon_id, path_id, discount_id,
                        discount_minor, order_minor, currency, order_id, customer, email, hash, reason, detail, released_at)
values
    -- one command, two codes
    (1, 'r1', 0, 1, 1, 0, 0, now(), '001000', 1, 1, 2, 1, 150, 1000, 'EUR', 'o1', '\xaa', '\xbb', '\x01', null, null, null),
    (1, 'r1', 1, 1, 1, 0, 0, now(), 'cdnow10', 4, 2, 1, 1, 85, 1000, 'EUR', 'o1', '\xaa', '\xbb', '\x01', null, null, null),
    -- twice the same code of batch 2, by two customers; one in dollars
    (1, 'r2', 0, 1, 1, 0, 1, now(), '002003', 2, 1, 2, 1, 30, 200, 'EUR', 'o2', '\xcc', null, '\x02', null, null, null),
    (2, 'r2', 0, 1, 1, 0, 2, now(), '002003', 2, 1, 2, 1, 40, 300, 'USD', 'o3', '\xdd', '\xdd', '\x03', null, null, null),
    -- redeemed and released later, and the release
    (1, 'r3', 0, 3, 1, 0, 3, now(), '001001', 1, 1, 2, 1, 15, 100, 'EUR', 'o4', '\xaa', '\xbb', '\x04', null, null, now()),
    (1, 'l3', 0, 5, 1, 0, 4, now(), '001001', null, null, null, null, 0, 0, null, null, null, null, '\x05', null, '{}', null),
    -- released before it came
    (1, 'r4', 0, 4, 1, 0, 5, now(), '001002', 1, 1, 2, null, 0, 0, null, null, null, null, '\x06', null, null, null),
    -- refused
    (1, 'r5', 0, 2, 1, 0, 6, now(), '001000', 1, 1, 2, null, 0, 500, 'EUR', 'o5', '\xaa', null, '\x07', 110, '[[110,-1]]', null),
    (1, 'r6', 0, 2, 1, 0, 7, now(), 'cdnow10', 4, 2, 1, null, 0, 500, 'EUR', 'o6', '\xaa', null, '\x08', 112, '[[112,-1]]', null);
update code set uses = 1 where key in ('001000', 'cdnow10');
update code set uses = 2 where key = '002003';

-- Limits: campaign 2 in total 50 and 3 a customer; coupon 1 40 in total; coupon 2 2 a customer, each of its codes 1 a customer.
insert into counter (scope, subject, customer, uses, most)
values (3, '2', '', 3, 50), (3, '2', '\xaa', 1, 3), (3, '2', '\xbb', 1, 3), (3, '2', '\xcc', 1, 3), (3, '2', '\xdd', 1, 3),
       (2, '1', '', 3, 40), (2, '2', '\xaa', 1, 2), (2, '2', '\xbb', 1, 2), (1, 'cdnow10', '\xaa', 1, 1), (1, 'cdnow10', '\xbb', 1, 1);

insert into tally (campaign_id, shard, name, value)
values (2, 0, 'issued', 40), (2, 1, 'issued', 12), (1, 0, 'issued', 1),
       (2, 0, 'redeemed', 3), (2, 1, 'redeemed', 1), (1, 0, 'redeemed', 1), (2, 0, 'released', 1),
       (2, 0, 'discount:EUR', 195), (2, 1, 'discount:EUR', -15), (2, 0, 'discount:USD', 40), (1, 0, 'discount:EUR', 85),
       (2, 0, 'order:EUR', 1300), (2, 1, 'order:EUR', -100), (2, 0, 'order:USD', 300),
       (2, 0, 'refused:code_exhausted', 1), (1, 0, 'refused:coupon_customer_limit', 1),
       (1, 0, 'changes', 2), (2, 0, 'changes', 4), (2, 1, 'changes', 2);
-- The snapshot of ROOT is of now, that of CHILD older than the last change, ALONE has never had anything to tell.
insert into campaign_snapshot (campaign_id, version, changes, due, published_at, data)
values (1, 3, 8, 1, now(), '{"campaign": "ROOT", "version": 3,
          "own": {"issued": 1, "redeemed": 1, "released": 0, "discount_minor": {"EUR": 85}, "order_minor": {},
                  "refused": {"coupon_customer_limit": 1}},
          "total": {"issued": 53, "redeemed": 5, "released": 1, "discount_minor": {"EUR": 265, "USD": 40},
                    "order_minor": {"EUR": 1200, "USD": 300}, "refused": {"code_exhausted": 1, "coupon_customer_limit": 1}}}'),
       (2, 2, 5, 1, now(), '{"own": {"issued": 0}, "total": {"issued": 0}}');
