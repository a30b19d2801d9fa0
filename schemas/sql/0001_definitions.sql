-- SPDX-License-Identifier: Apache-2.0
-- Definitions: campaigns, discounts, coupons, affiliates. Few rows, cached whole by the workers.
--
-- ext_id is the publisher's name for a thing, id ours. version counts the changes of a row; def_version is
-- the fleet-wide version of its last change, so that a cache loads only what moved.
-- In limits, 0 says unlimited and null says that the next level decides; a level without one takes unlimited.

create table source (
    id int generated always as identity primary key,
    name text collate "C" not null unique
);
comment on table source is 'publishers: the ce_source of commands';

create table definition_version (
    one boolean primary key default true check (one),
    version bigint not null
);
insert into definition_version (version) values (0);
comment on table definition_version is
    'one row; every change of a definition raises it, every batch re-reads it FOR SHARE before its commit';

create table campaign_path (
    id int generated always as identity primary key,
    path int[] not null unique
);
comment on table campaign_path is
    'ways from a root to a campaign, root first, as campaign ids; ledger rows keep the one of their time';

create table campaign (
    id int generated always as identity primary key,
    ext_id text collate "C" not null unique,
    parent_id int references campaign,
    path_id int not null references campaign_path,
    name text,
    description text,
    status smallint not null check (status between 0 and 3),
    starts_at timestamptz,
    ends_at timestamptz check (ends_at > starts_at),
    total_limit bigint not null default 0 check (total_limit >= 0),
    customer_limit bigint not null default 0 check (customer_limit >= 0),
    version bigint not null,
    def_version bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);
comment on column campaign.status is '0 draft, 1 active, 2 paused, 3 archived';
create index campaign_def_version on campaign (def_version);
create index campaign_parent on campaign (parent_id);

create table discount (
    id int generated always as identity primary key,
    ext_id text collate "C" not null unique,
    name text,
    kind smallint not null check (kind in (1, 2)),
    percent_bp int check (percent_bp between 1 and 10000),
    amount_minor bigint check (amount_minor > 0),
    currency text collate "C",
    max_minor bigint check (max_minor > 0),
    archived boolean not null default false,
    version bigint not null,
    def_version bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null,
    check ((kind = 1) = (percent_bp is not null)),
    check ((kind = 2) = (amount_minor is not null and currency is not null))
);
comment on column discount.kind is '1 percent (percent_bp: basis points), 2 amount (amount_minor of currency)';
create index discount_def_version on discount (def_version);

create table coupon (
    id int generated always as identity primary key,
    ext_id text collate "C" not null unique,
    campaign_id int not null references campaign,
    name text,
    active boolean not null,
    archived boolean not null default false,
    apply_best boolean not null default false,
    starts_at timestamptz,
    ends_at timestamptz check (ends_at > starts_at),
    total_limit bigint not null default 0 check (total_limit >= 0),
    customer_limit bigint not null default 0 check (customer_limit >= 0),
    code_max_uses int not null default 0 check (code_max_uses >= 0),
    code_customer_limit int not null default 0 check (code_customer_limit >= 0),
    pattern text,
    version bigint not null,
    def_version bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);
comment on column coupon.code_max_uses is 'what a code of this coupon has unless its batch or itself sets its own';
create index coupon_def_version on coupon (def_version);
create index coupon_campaign on coupon (campaign_id);

create table coupon_discount (
    coupon_id int not null references coupon,
    position smallint not null,
    discount_id int not null references discount,
    primary key (coupon_id, position),
    unique (coupon_id, discount_id)
);

create table affiliate (
    id int generated always as identity primary key,
    ext_id text collate "C" not null unique,
    external_id text,
    email text,
    name text,
    archived boolean not null default false,
    version bigint not null,
    def_version bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null
);

create table definition_history (
    kind smallint not null,
    id int not null,
    version bigint not null,
    at timestamptz not null,
    by text not null,
    action text not null,
    data jsonb not null,
    primary key (kind, id, version)
);
comment on table definition_history is
    'every change of a definition: kind 1 campaign, 2 discount, 3 coupon, 4 affiliate; data as the command gave it';
