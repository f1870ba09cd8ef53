-- Schemas, records and what is published: everything that holds data and is neither dbt's nor a raw table. Homes that were
-- made before migrations were recorded have most of it: they are taken on here, which is why everything is made where it is
-- missing. A later change of these tables is a migration of its own number.

-- Layers from left to right; `vault` is reserved for personal data.
create schema if not exists raw_metering;
create schema if not exists raw_marketing;
create schema if not exists raw_contract;
create schema if not exists staging;
create schema if not exists quality;
create schema if not exists warehouse;
create schema if not exists candidate;
create schema if not exists publish;
create schema if not exists marts;
create schema if not exists vault;

-- What of this folder was applied to this database, and by which code; written by include/records/migrations.py alone. The
-- newest entry of a name counts. `version` is null for what is applied again whenever it changes.
create table if not exists quality.migrations (
    entry_no bigint generated always as identity primary key,
    version integer,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    code_version text not null
);

create table if not exists quality.runs (
    run_id bigint generated always as identity primary key,
    business_date date not null,
    state text not null default 'running' check (state in ('running', 'blocked', 'passed', 'published', 'failed')),
    last_load_id bigint not null default 0,
    code_version text,
    verdict jsonb,
    started_at timestamptz not null default now(),
    finished_at timestamptz
);

-- Exactly one row: the run at work. Models and rules read D and the phase here.
create table if not exists quality.current_run (
    only_row boolean primary key default true check (only_row),
    run_id bigint not null,
    business_date date not null,
    phase text not null check (phase in ('gate', 'admit')),
    last_passed_load_id bigint not null,
    collection_start date not null
);

-- A writer carries its fence as the setting kaw.fence = '<scope>:<number>'; a later run of the scope takes a higher one.
create table if not exists quality.fences (
    scope text primary key,
    fence bigint not null
);

create table if not exists quality.receipts (
    load_id bigint generated always as identity primary key,
    source_name text not null,
    table_name text not null,
    channel text not null check (channel in ('auto', 'form')),
    business_date date not null,
    window_from timestamptz,
    window_to timestamptz,
    announced_rows bigint,
    announced_sums jsonb,
    landed_sums jsonb,
    delivered_rows bigint not null default 0,
    inserted_rows bigint not null default 0,
    duplicate_rows bigint not null default 0,
    rejected_rows bigint not null default 0,
    tombstone_rows bigint not null default 0,
    unknown_columns text[] not null default '{}',
    content_sha256 text,
    file_name text,
    duplicate_of bigint references quality.receipts (load_id),
    state text not null check (state in ('landed', 'refused')),
    problem text,
    fence bigint default nullif(split_part(current_setting('kaw.fence', true), ':', 2), '')::bigint,  -- the extraction it came in
    landed_at timestamptz not null default clock_timestamp()
);
create index if not exists receipts_by_table on quality.receipts (table_name, business_date);
create index if not exists receipts_by_content on quality.receipts (table_name, content_sha256);

create table if not exists quality.rejected_rows (
    load_id bigint not null references quality.receipts (load_id),
    source_name text not null,
    table_name text not null,
    file_name text,
    file_line bigint,
    column_name text not null,
    value_text text,
    reason text not null,
    record_key jsonb not null,
    _key uuid,
    row_text jsonb not null,
    superseded_by bigint references quality.receipts (load_id)
);
create index if not exists rejected_rows_by_key on quality.rejected_rows (table_name, _key);

create table if not exists quality.touched_keys (
    table_name text not null,
    _key uuid not null
);

-- The rule book as the last gate read it; the files in expectations/ and the contracts are the source.
create table if not exists quality.rule_book (
    rule_id text primary key,
    gate smallint not null,
    sentence text not null,
    axis text not null,
    dimension text not null,
    severity text not null,
    owner text not null,
    quarantines boolean not null,
    path text not null
);
alter table quality.rule_book add column if not exists source_name text;
alter table quality.rule_book add column if not exists table_names text[]; -- contract tables that it is about
alter table quality.rule_book add column if not exists tests_changes boolean; -- true where it tests what changed since the last gate

create table if not exists quality.rule_results (
    run_id bigint not null references quality.runs (run_id),
    rule_id text not null,
    tested_rows bigint not null,
    failed_rows bigint not null,
    severity text not null,
    not_tested_reason text,
    seconds numeric(10, 3) not null,
    verdict text,
    primary key (run_id, rule_id)
);

create table if not exists quality.violations (
    run_id bigint not null references quality.runs (run_id),
    rule_id text not null,
    source_name text not null,
    table_name text not null,
    raw_id bigint,
    record_key jsonb not null,
    column_name text,
    account_no text,
    business_date date,
    observed text,
    expected text,
    severity text not null,
    suspect_side text,
    energy_at_stake_kwh numeric(20, 4),
    amount_at_stake_cny numeric(20, 2),
    source_reference text
);
create index if not exists violations_by_run on quality.violations (run_id, rule_id);

create table if not exists quality.retested (
    run_id bigint not null,
    finding_id bigint not null
);

create sequence if not exists quality.finding_ids;

create table if not exists quality.finding_events (
    event_id bigint generated always as identity primary key,
    finding_id bigint not null,
    run_id bigint not null,
    event text not null check (event in ('opened', 'seen', 'changed', 'fixed', 'waived', 'expired')),
    at timestamptz not null,
    rule_id text not null,
    axis text not null,
    severity text not null,
    source_name text not null,
    table_name text not null,
    record_key jsonb not null,
    column_name text,
    account_no text,
    business_date date,
    observed text,
    expected text,
    suspect_side text,
    energy_at_stake_kwh numeric(20, 4),
    amount_at_stake_cny numeric(20, 2),
    source_reference text,
    raw_id bigint,
    waiver_id bigint
);
create index if not exists finding_events_by_finding on quality.finding_events (finding_id, event_id desc);
create index if not exists finding_events_by_rule on quality.finding_events (rule_id, finding_id, event_id desc);

-- A row that a rule quarantined, or that is held because it refers to one. It never counts while released_run is null;
-- from superseded_run on it is no longer the newest of its key, and nothing is kept back by it any more.
create table if not exists quality.quarantined_rows (
    source_name text not null,
    table_name text not null,
    raw_id bigint not null,
    state text not null check (state in ('quarantined', 'held')),
    rule_ids text[] not null,
    record_key jsonb not null,
    account_no text,
    energy_at_stake_kwh numeric(20, 4),
    amount_at_stake_cny numeric(20, 2),
    from_run bigint not null,
    released_run bigint,
    superseded_run bigint,
    primary key (table_name, raw_id)
);

-- What each run changed of it, so that an old run's rows kept back can still be told; appended after each gate 1.
create table if not exists quality.quarantine_events (
    run_id bigint not null,
    source_name text not null,
    table_name text not null,
    raw_id bigint not null,
    state text not null check (state in ('quarantined', 'held', 'released', 'superseded')),
    rule_ids text[] not null,
    record_key jsonb not null,
    account_no text,
    energy_at_stake_kwh numeric(20, 4),
    amount_at_stake_cny numeric(20, 2),
    from_run bigint not null,
    primary key (table_name, raw_id, run_id)
);

create table if not exists quality.waivers (
    waiver_id bigint generated always as identity primary key,
    rule_id text not null,
    scope text not null,
    approver text not null,
    reason text not null,
    valid_until date not null,
    entered_by text not null,
    entered_at timestamptz not null default now()
);

-- Per receipt and state: a delivered row is in exactly one of them.
create table if not exists quality.conservation (
    run_id bigint not null,
    load_id bigint not null,
    table_name text not null,
    delivered bigint not null,
    admitted bigint not null,
    waived bigint not null,
    quarantined bigint not null,
    held bigint not null,
    superseded bigint not null,
    duplicate bigint not null,
    rejected bigint not null,
    primary key (run_id, load_id)
);

-- Append-only and hash-chained; written by include/records/ledger.py alone.
create table if not exists quality.ledger (
    entry_no bigint primary key,
    at timestamptz not null,
    actor text not null,
    event text not null,
    detail jsonb not null,
    previous_digest text not null,
    digest text not null
);

-- Current rows per table at gate 1, the denominator of the tables' limits.
create table if not exists quality.staged_rows (
    run_id bigint not null,
    table_name text not null,
    rows bigint not null,
    primary key (run_id, table_name)
);

create index if not exists ledger_of_waivers on quality.ledger ((detail ->> 'waiver_id')) where event = 'waiver';
create index if not exists ledger_of_waiver_ends on quality.ledger ((detail ->> 'waiver_id')) where event = 'waiver_end';

create table if not exists publish.pointer (
    published_month date primary key check (published_month = date_trunc('month', published_month)),
    version integer not null,
    business_date date not null,
    run_id bigint not null,
    published_at timestamptz not null,
    held_back_rows bigint not null,
    held_back_share numeric(9, 8) not null,
    held_back_kwh numeric(20, 4) not null,
    held_back_cny numeric(20, 2) not null,
    pinned_by text,
    pinned_reason text,
    pinned_at timestamptz
);

-- Records: what each version of a month holds per mart. `last_business_date` is the last D that found it still true;
-- `deleted_at` says when retention took its rows away, the record stays.
create table if not exists publish.versions (
    published_month date not null,
    version integer not null,
    mart text not null,
    business_date date not null,
    last_business_date date not null,
    run_id bigint not null,
    rows bigint not null,
    hash text not null,
    published_at timestamptz not null,
    deleted_at timestamptz,
    primary key (published_month, version, mart)
);
alter table publish.versions add column if not exists example_key text; -- a row of it, as ./kaw trace takes it

-- Records: every move of a pointer. Version 0 is no version: nothing of that month is shown.
create table if not exists publish.pointer_moves (
    move_id bigint generated always as identity primary key,
    published_month date not null,
    event text not null check (event in ('publish', 'roll_back', 'release')),
    from_version integer not null,
    to_version integer not null,
    run_id bigint not null,
    business_date date not null,
    moved_at timestamptz not null,
    actor text not null
);

-- The closing version of each month that is over: what was known when it closed. It is the first version that a run of the
-- month's last day or later found true, and was not rolled back; the views marts.<mart>_at_close show it.
create table if not exists publish.closing (
    published_month date primary key,
    version integer not null
);

-- Which accounts have days of the same shape: written by include/transform/clusters.py between warehouse and marts, read by dbt as a
-- source. It is a pure function of warehouse.int_load_profiles and of the seed of its parameters, and is written anew each night.
create table if not exists warehouse.load_cluster_labels (
    month_start_date date not null,
    account_no text not null,
    cluster_no integer,
    cluster_count integer,
    mean_silhouette numeric(6, 4),
    cluster_count_basis text not null,
    primary key (month_start_date, account_no)
);

-- Once a function of six numbers; a right value of any type is asked for now.
drop function if exists quality.likely_right(numeric, numeric, numeric, numeric, numeric, numeric);
