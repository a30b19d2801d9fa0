-- SPDX-License-Identifier: Apache-2.0
-- Redeeming: the ledger, counters of limits, and what analytics is told.

create table redemption (
    seq bigint generated always as identity,
    source_id int not null,
    ce_id text collate "C" not null,
    line smallint not null,
    state smallint not null check (state between 1 and 5),
    units int not null default 1,
    partition int not null,
    "offset" bigint not null,
    at timestamptz not null,
    code text collate "C",
    batch_id int,
    coupon_id int,
    path_id int,
    uses_left int,
    discount_id int,
    discount_minor bigint not null default 0,
    order_minor bigint not null default 0,
    currency text collate "C",
    order_id text,
    customer bytea,
    email bytea,
    hash bytea not null,
    reason smallint,
    detail text,
    released_at timestamptz,
    xid xid8 not null default pg_current_xact_id(),
    primary key (source_id, ce_id, line)
) with (fillfactor = 95);
comment on table redemption is
    'ledger of the redeem commands: a row per code of a command; unknown codes and validations leave none';
comment on column redemption.state is
    '1 redeemed, 2 refused, 3 redeemed and released later, 4 released before its redeem came, 5 a release command itself';
comment on column redemption.hash is 'of the command''s type and data';
comment on column redemption.detail is
    'refused: JSON array of the reasons of this code; several discounts: JSON array of their shares; release: its outcome';
comment on column redemption.customer is 'keyed hash of the customer''s id, email: of the address';
comment on column redemption.order_minor is 'total of the order; counted once per command, with line 0';
create index redemption_code on redemption (code) where code is not null;
create index redemption_seq on redemption using brin (seq) with (pages_per_range = 32, autosummarize = on);

create table counter (
    scope smallint not null,
    subject text collate "C" not null,
    customer bytea not null,
    uses bigint not null,
    most bigint not null,
    primary key (scope, subject, customer),
    constraint counter_within_limit check (uses between 0 and most)
) with (fillfactor = 80);
comment on table counter is
    'uses under a limit, only where one is: scope 1 code (subject: key), 2 coupon, 3 campaign (subject: id); '
    'customer empty: in total, else the keyed hash of one of the customer''s identifiers; most: the limit when last taken';

create table tally (
    campaign_id int not null,
    shard smallint not null,
    name text collate "C" not null,
    value bigint not null,
    primary key (campaign_id, shard, name)
) with (fillfactor = 70);
comment on table tally is
    'sums per campaign, spread over shards so that workers do not meet: issued, redeemed, released, changes, '
    'discount:CUR, order:CUR, refused:REASON';

create table campaign_snapshot (
    campaign_id int primary key references campaign,
    version bigint not null,
    changes bigint not null,
    due bigint not null,
    published_at timestamptz not null,
    data text not null
) with (fillfactor = 50);
comment on table campaign_snapshot is
    'what promo.metrics was told last: changes is the sum of the tally''s "changes" over the campaign and its descendants';
