-- SPDX-License-Identifier: Apache-2.0
-- The loop's own tables: progress of each partition, and the ledger of commands.

create table progress (
    worker text collate "C" not null,
    topic text collate "C" not null,
    partition int not null,
    epoch bigint not null default 0,
    from_offset bigint not null default 0,
    next_offset bigint not null default 0 check (next_offset >= from_offset),
    next_time timestamptz,
    owner text,
    assigned_at timestamptz,
    deaths int not null default 0,
    death_offset bigint not null default -1,
    primary key (worker, topic, partition)
) with (fillfactor = 50);
comment on table progress is
    'below from_offset every outcome is known to be committed in Kafka; below next_offset everything is applied';
comment on column progress.epoch is 'raised by each assignment; a transaction of an older epoch rolls back';
comment on column progress.next_time is
    'Kafka timestamp of the record at next_offset - 1: tells a topic that was made anew from the one we know';
comment on column progress.deaths is 'processes that died over the batch that starts at death_offset';

create table command (
    kind smallint not null,
    source_id int not null references source,
    ce_id text collate "C" not null,
    hash bytea not null,
    partition int not null,
    "offset" bigint not null,
    at timestamptz not null,
    outcome_type text not null,
    outcome_key text,
    outcome text not null,
    job_id uuid,
    primary key (kind, source_id, ce_id)
);
comment on table command is
    'ledger of the campaign (1), generate (2), export (4) and maintain (5) commands; redeem (3) has redemption. '
    'hash: of type and data; partition and offset: where the command was first read; outcome: data of its event';
create index command_job on command (job_id) where job_id is not null;

-- A session that was frozen (its process stopped) keeps its row locks, and no server time-out ends one inside
-- COPY. Whoever ran into a lock time-out calls this: it ends the fleet's sessions that sit in a transaction and
-- have waited for their client for two seconds or more, which a healthy worker never does.
create function promo_end_blockers() returns int
    language sql security definer set search_path = pg_catalog
as $$
    select count(*) filter (where pg_terminate_backend(pid))::int
      from pg_stat_activity
     where application_name like 'promofleet/%'
       and datname = current_database()
       and pid <> pg_backend_pid()
       and xact_start is not null
       and wait_event_type = 'Client'
       and greatest(state_change, query_start) < clock_timestamp() - interval '2 seconds'
$$;
