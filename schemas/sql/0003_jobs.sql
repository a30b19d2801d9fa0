-- SPDX-License-Identifier: Apache-2.0
-- Jobs, their lanes and chunks; spaces, batches and codes.

create table job (
    id uuid primary key,
    kind smallint not null check (kind between 1 and 3),
    state smallint not null default 1 check (state between 1 and 5),
    source_id int not null references source,
    ce_id text collate "C" not null,
    traceparent text,
    campaign_id int references campaign,
    coupon_id int references coupon,
    batch_id int,
    params jsonb not null,
    total bigint not null check (total >= 0),
    done bigint not null default 0 check (done between 0 and total),
    checksum numeric(20, 0) not null default 0,
    lanes_left smallint not null,
    width smallint not null check (width between 1 and 16),
    snapshot pg_snapshot,
    accepted_at timestamptz not null,
    progress_at timestamptz not null,
    finished_at timestamptz,
    outcome text,
    check ((state >= 3) = (outcome is not null))
) with (fillfactor = 50);
comment on column job.kind is '1 generate codes, 2 export codes, 3 export redemptions';
comment on column job.state is '1 running, 2 paused, 3 completed, 4 failed, 5 cancelled';
comment on column job.outcome is 'data of the terminal event';
create index job_open on job (state) where state < 3;
create index job_campaign on job (campaign_id);
create index job_coupon on job (coupon_id);

create table lane (
    job_id uuid not null references job,
    lane smallint not null check (lane between 0 and 16),
    state smallint not null check (state between 0 and 2),
    n int not null default 0,
    position bigint not null,
    last bigint not null check (last >= position),
    epoch int not null default 0,
    moved_at timestamptz not null,
    probed_at timestamptz,
    primary key (job_id, lane)
) with (fillfactor = 50);
comment on table lane is 'a fixed share of a job: [position, last) is to be done, n numbers its next chunk';
comment on column lane.state is '0 parked, 1 a token is on the way, 2 done';

create table chunk (
    job_id uuid not null references job,
    lane smallint not null,
    n int not null,
    epoch int not null,
    first bigint not null,
    last bigint not null,
    rows bigint not null,
    checksum numeric(20, 0) not null default 0,
    partition int not null,
    "offset" bigint not null,
    next_lane smallint not null default -1,
    next_n int not null default 0,
    next_epoch int not null default 0,
    job_done bigint not null,
    says smallint not null default 0,
    at timestamptz not null default clock_timestamp(),
    detail jsonb,
    xid xid8 not null default pg_current_xact_id(),
    primary key (job_id, lane, n)
);
comment on table chunk is
    'ledger of the tokens: what chunk n of a lane did, [first, last) of the lane''s work, and what it published: '
    'the token of (next_lane, next_n, next_epoch) when next_lane >= 0, and what says tells';
comment on column chunk.says is 'bits: 1 a progress event, 2 the terminal event';
comment on column chunk.job_done is 'done of the job after this chunk';

create table space (
    id int generated always as identity primary key,
    fingerprint text collate "C" not null unique,
    pattern text not null,
    capacity numeric(39, 0) not null,
    usable numeric(39, 0) not null,
    live bigint not null default 0 check (live >= 0)
);
comment on table space is
    'sets of strings that patterns span; usable: capacity less the strings with a blocked word; live: reserved by jobs';

create table batch (
    id int generated always as identity primary key,
    job_id uuid not null references job,
    coupon_id int not null references coupon,
    space_id int references space,
    origin smallint not null check (origin between 1 and 4),
    pattern text,
    size int not null check (size >= 0),
    active boolean not null default true,
    max_uses int check (max_uses >= 0),
    customer_limit int check (customer_limit >= 0),
    starts_at timestamptz,
    ends_at timestamptz check (ends_at > starts_at),
    created_at timestamptz not null
);
comment on column batch.origin is '1 generated, 2 imported, 3 manual, 4 copied';
comment on column batch.max_uses is 'null: the coupon''s code_max_uses; 0: unlimited';
create index batch_coupon on batch (coupon_id);
create index batch_job on batch (job_id);
alter table job add foreign key (batch_id) references batch;

create table code (
    key text collate "C" primary key,
    batch_id int not null,
    serial int not null,
    uses int not null default 0,
    flags smallint not null default 0,
    max_uses int,
    constraint code_uses_within_limit check (uses >= 0 and (max_uses is null or max_uses = 0 or uses <= max_uses))
) with (fillfactor = 90);
comment on table code is
    'key: canonical form; id of a code for logs and people: batch_id.serial. No foreign key to batch: a row costs '
    'what it weighs, and batches are never deleted';
comment on column code.flags is 'bits: 1 not active, 2 deleted';
comment on column code.max_uses is 'null: the batch decides; 0: unlimited';
create index code_batch on code using brin (batch_id, serial) with (pages_per_range = 32, autosummarize = on);

create table code_redrawn (
    batch_id int not null,
    serial int not null,
    attempt int not null,
    placed boolean not null,
    at timestamptz not null default clock_timestamp(),
    xid xid8 not null default pg_current_xact_id(),
    primary key (batch_id, serial)
);
comment on table code_redrawn is
    'serials whose first draw was taken or blocked: the attempt that placed them in their stratum, or placed = false '
    'while the overflow has yet to place them (attempt then counts on from 9)';
