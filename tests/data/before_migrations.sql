-- Everything but dbt's tables as the code before migrations made it: the files of include/sql at commit 2fe2105, in their order.
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
-- raw tables
-- Runs, fences and receipts: what was asked for, what came, who may write.

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

create or replace function quality.assert_fence() returns void
language plpgsql security definer set search_path = quality, pg_temp as $$
declare
    held text := nullif(current_setting('kaw.fence', true), '');
    newest bigint;
begin
    if held is null then
        return;
    end if;
    select fence into newest from quality.fences where scope = split_part(held, ':', 1) for share;
    if newest > split_part(held, ':', 2)::bigint then
        raise exception 'fenced off: a later run of % took fence %, this one holds %',
            split_part(held, ':', 1), newest, split_part(held, ':', 2)
            using errcode = 'object_not_in_prerequisite_state';
    end if;
end
$$;

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
-- What the rules saw, what became of it, and what is kept back.

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

-- The life of each finding. `state` is what it is now; `last_change` is the last event that told something new: an open
-- finding was opened, changed, or its waiver expired. Its age counts business dates, to the run at work or to the fix.
create or replace view quality.findings as
with latest as (
    select distinct on (rule_id, finding_id) *
    from quality.finding_events
    order by rule_id, finding_id, event_id desc
),

sightings as (
    select
        rule_id,
        finding_id,
        min(at) as first_seen_at,
        max(at) filter (where event in ('opened', 'seen', 'changed', 'waived', 'expired')) as last_seen_at,
        min(run_id) as first_run_id,
        (array_agg(event order by event_id desc) filter (where event <> 'seen'))[1] as last_change
    from quality.finding_events
    group by rule_id, finding_id
)

select
    latest.rule_id,
    latest.axis,
    latest.severity,
    latest.source_name,
    latest.table_name,
    latest.record_key,
    latest.column_name,
    latest.account_no,
    latest.business_date,
    latest.observed,
    latest.expected,
    latest.suspect_side,
    latest.energy_at_stake_kwh,
    latest.amount_at_stake_cny,
    case latest.event when 'fixed' then 'fixed' when 'waived' then 'waived' else 'open' end as state,
    sightings.first_seen_at,
    sightings.last_seen_at,
    latest.source_reference,
    latest.finding_id,
    latest.raw_id,
    latest.run_id as last_run_id,
    sightings.last_change,
    rule_book.owner as office,
    greatest(
        case latest.event when 'fixed' then last_run.business_date else current_run.business_date end
        - first_run.business_date, 0
    ) as age_days,
    case latest.event when 'waived' then latest.waiver_id end as waiver_id,
    case latest.event when 'fixed' then latest.at end as fixed_at
from latest
inner join sightings on latest.rule_id = sightings.rule_id and latest.finding_id = sightings.finding_id
left join quality.rule_book on latest.rule_id = rule_book.rule_id
left join quality.runs as first_run on sightings.first_run_id = first_run.run_id
left join quality.runs as last_run on latest.run_id = last_run.run_id
left join quality.current_run on true;

create or replace view quality.open_findings as
select *
from quality.findings
where state <> 'fixed';

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

-- What is kept back now.
create or replace view quality.kept_back as
select *
from quality.quarantined_rows
where released_run is null and superseded_run is null;

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

-- Rows that tonight's gate tests of a big table: landed since the last passed gate, or with an open finding.
create or replace view quality.tonight as
select raw.table_name, raw.raw_id
from (
    select 'met_interval_96'::text as table_name, curves._raw_id as raw_id
    from raw_metering.met_interval_96 as curves
    cross join quality.current_run as run
    where curves._load_id > run.last_passed_load_id
) as raw
union
select table_name, raw_id
from quality.quarantined_rows
where table_name = 'met_interval_96'
union
select table_name, raw_id
from quality.open_findings
where table_name = 'met_interval_96' and raw_id is not null;

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

-- Append-only and hash-chained; written by include/ledger.py alone.
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
-- The one way past a blocked night: a rule's findings inside a scope, let through by a named approver until a date.

create index if not exists ledger_of_waivers on quality.ledger ((detail ->> 'waiver_id')) where event = 'waiver';
create index if not exists ledger_of_waiver_ends on quality.ledger ((detail ->> 'waiver_id')) where event = 'waiver_end';

-- Waivers that are as the ledger has them: a row that was added or changed beside the ledger lets nothing through.
-- `end_entry` is the entry that ended one before its date; null where none did.
create or replace view quality.signed_waivers as
select
    waivers.*,
    (
        select min(ledger.entry_no)
        from quality.ledger
        where ledger.event = 'waiver_end' and ledger.detail ->> 'waiver_id' = waivers.waiver_id::text
    ) as end_entry
from quality.waivers
where exists (
    select 1
    from quality.ledger
    where
        ledger.event = 'waiver'
        and ledger.detail ->> 'waiver_id' = waivers.waiver_id::text
        and ledger.detail ->> 'rule_id' = waivers.rule_id
        and ledger.detail ->> 'scope' = waivers.scope
        and ledger.detail ->> 'approver' = waivers.approver
        and ledger.detail ->> 'reason' = waivers.reason
        and ledger.detail ->> 'valid_until' = waivers.valid_until::text
);

-- A finding's first waiver that is in force on a date; null where there is none. Scope: 'all', 'table=<table>',
-- 'account=<account_no>', or 'key={json}', which covers every record whose key contains the given parts.
create or replace function quality.waiver_for(
    rule_id text, table_name text, account_no text, record_key jsonb, on_date date
) returns bigint
language sql stable
as $$
    select min(waivers.waiver_id)
    from quality.signed_waivers as waivers
    where
        waivers.rule_id = waiver_for.rule_id
        and waivers.valid_until >= waiver_for.on_date
        and waivers.end_entry is null
        and case
            when waivers.scope = 'all' then true
            when waivers.scope like 'table=%' then substr(waivers.scope, 7) = waiver_for.table_name
            when waivers.scope like 'account=%' then substr(waivers.scope, 9) = waiver_for.account_no
            when waivers.scope like 'key=%' then waiver_for.record_key @> substr(waivers.scope, 5)::jsonb
            else false
        end
$$;

-- Waivers in force on the business date of the run at work.
create or replace view quality.active_waivers as
select waivers.*
from quality.signed_waivers as waivers
cross join quality.current_run
where waivers.valid_until >= current_run.business_date and waivers.end_entry is null;
-- Publishing: one stable table per mart (made by include/publish), one pointer row per month, and what was published when.

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

create or replace function publish.note_closing() returns void
language sql as $$
    with versions as (
        select published_month, version, max(last_business_date) as last_business_date
        from publish.versions
        where deleted_at is null
        group by published_month, version
    ),

    chosen as (
        select distinct on (versions.published_month) versions.published_month, versions.version
        from versions
        where
            versions.last_business_date >= (versions.published_month + interval '1 month - 1 day')::date
            and not exists (
                select 1
                from publish.pointer_moves as moves
                where
                    moves.event = 'roll_back'
                    and moves.published_month = versions.published_month
                    and moves.from_version = versions.version
            )
        order by versions.published_month, versions.last_business_date, versions.version desc
    ),

    reopened as (
        delete from publish.closing
        where not exists (select 1 from chosen where chosen.published_month = closing.published_month)
    )

    insert into publish.closing (published_month, version)
    select published_month, version from chosen
    on conflict (published_month) do update set version = excluded.version where closing.version <> excluded.version
$$;

create or replace view marts.publication with (security_invoker = true) as
select
    published_month,
    version,
    business_date,
    published_at,
    held_back_rows,
    held_back_share,
    held_back_kwh,
    held_back_cny,
    case when pinned_by is null then 'published' else 'pinned' end as state
from publish.pointer
where version > 0;

comment on view marts.publication is
'What readers see now, one row per month: version of all marts, the business date it knows, and what was held back.';
comment on column marts.publication.published_month is 'First day of the month that the row is about.';
comment on column marts.publication.version is 'Version of the month, one number for all marts; rises with each change.';
comment on column marts.publication.business_date is 'Last business date whose run found this version true (Asia/Shanghai).';
comment on column marts.publication.published_at is 'Instant at which that run published.';
comment on column marts.publication.held_back_rows is 'Source rows quarantined or held at that publish.';
comment on column marts.publication.held_back_share is 'held_back_rows over them and all rows admitted, 0 to 1.';
comment on column marts.publication.held_back_kwh is 'Energy at stake in the rows held back, kWh.';
comment on column marts.publication.held_back_cny is 'Amount at stake in the rows held back, yuan.';
comment on column marts.publication.state is 'published, or pinned: rolled back and kept there until released.';

-- Row-level security of a published table. The policies for readers include the pointer and the closing version, or other
-- versions would show. The owner, who publishes, is not subject to it; roles that the server does not have are passed over.
create or replace function publish.protect(mart text) returns void
language plpgsql as $$
declare
    target regclass := format('publish.%I', mart)::regclass;
    wanted record;
begin
    if not (select relrowsecurity from pg_class where oid = target) then
        execute format('alter table %s enable row level security', target);
    end if;
    for wanted in
        select *
        from (values
            ('kaw_bi_reader', 'readers_see_the_pointed_version', 'select', format(
                'exists (select 1 from publish.pointer where pointer.published_month = %1$I.published_month'
                ' and pointer.version = %1$I.version)', mart)),
            ('kaw_bi_reader', 'readers_see_the_closing_version', 'select', format(
                'exists (select 1 from publish.closing where closing.published_month = %1$I.published_month'
                ' and closing.version = %1$I.version)', mart)),
            ('kaw_auditor', 'auditors_see_every_version', 'select', 'true'),
            ('kaw_publisher', 'publishers_write_every_version', 'all', 'true')
        ) as policies (role_name, policy_name, command, condition)
    loop
        if exists (select 1 from pg_roles where rolname = wanted.role_name)
            and not exists (select 1 from pg_policy where polrelid = target and polname = wanted.policy_name) then
            execute format('create policy %I on %s for %s to %I using (%s)',
                wanted.policy_name, target, wanted.command, wanted.role_name, wanted.condition);
        end if;
    end loop;
end
$$;
-- Which accounts have days of the same shape: written by include/clusters.py between warehouse and marts, read by dbt as a
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
-- Who may do what. Group roles without log-in belong to the whole server and are shared by its databases: they are made
-- where they are missing, also when several databases are installed at once. A login that may not make roles goes on
-- without them, and the owner's own rights then do for the runs.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['kaw_loader', 'kaw_transformer', 'kaw_gatekeeper', 'kaw_publisher', 'kaw_auditor', 'kaw_bi_reader']
    loop
        begin
            if not exists (select 1 from pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception
            when duplicate_object or unique_violation then null; -- another database was installed at the same moment
            when insufficient_privilege then
                raise notice 'the role % does not exist and this login may not create it', wanted;
        end;
        begin
            if exists (select 1 from pg_roles where rolname = wanted) and not pg_has_role(current_user, wanted, 'member') then
                execute format('grant %I to %I', wanted, current_user);
            end if;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise notice 'this login is no member of the role %, and may not make itself one', wanted;
        end;
    end loop;
end
$$;

-- Grants of one role, passed over where the server does not have it. Each line is a privilege and what it is on.
create or replace function quality.grant_to(role_name text, grants text[]) returns void
language plpgsql as $$
declare
    line text;
begin
    if not exists (select 1 from pg_roles where rolname = role_name) then
        return;
    end if;
    execute format('grant connect on database %I to %I', current_database(), role_name);
    foreach line in array grants
    loop
        execute format('grant %s to %I', line, role_name);
    end loop;
end
$$;

-- The same for tables to come: dbt makes its tables anew, publishing makes a table per mart.
create or replace function quality.grant_later(maker text, role_name text, privileges text, schema_names text[]) returns void
language plpgsql as $$
declare
    schema_name text;
begin
    if not exists (select 1 from pg_roles where rolname = role_name)
        or not exists (select 1 from pg_roles where rolname = maker)
        or not pg_has_role(current_user, maker, 'usage') then
        return;
    end if;
    foreach schema_name in array schema_names
    loop
        execute format('alter default privileges for role %I in schema %I grant %s on tables to %I',
            maker, schema_name, privileges, role_name);
    end loop;
end
$$;

select quality.grant_to('kaw_loader', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, quality',
    'select, insert on all tables in schema raw_metering, raw_marketing, raw_contract',
    'select, insert, update on quality.receipts, quality.rejected_rows',
    'select, insert on quality.ledger',
    'select on quality.runs, quality.fences',
    format('temporary on database %I', current_database()) -- a delivery is compared before it lands
]);

-- A transformer notes which keys it stages anew; everything else of quality it only reads.
select quality.grant_to('kaw_transformer', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, quality',
    'usage, create on schema staging, warehouse, candidate',
    'select on all tables in schema raw_metering, raw_marketing, raw_contract, quality',
    'insert, delete on quality.touched_keys',
    'all on all tables in schema staging, warehouse, candidate',
    format('temporary on database %I', current_database()) -- dbt stages an incremental model's new rows first
]);

-- A gate judges everything and writes what it found and its verdict: it can neither mend data nor enter a waiver.
select quality.grant_to('kaw_gatekeeper', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, staging, warehouse, candidate, publish, quality',
    'select on all tables in schema raw_metering, raw_marketing, raw_contract, staging, warehouse, candidate, publish, quality',
    'insert, update, delete on quality.rule_book, quality.rule_results, quality.violations, quality.retested,'
    ' quality.finding_events, quality.quarantined_rows, quality.quarantine_events, quality.staged_rows, quality.conservation',
    'update (state, verdict) on quality.runs',
    'update (phase) on quality.current_run',
    'usage on sequence quality.finding_ids',
    'insert on quality.ledger',
    format('temporary on database %I', current_database()) -- what a rule tested and found
]);

select quality.grant_to('kaw_publisher', array[
    'usage on schema candidate, warehouse, quality',
    'usage, create on schema publish, marts',
    'select on all tables in schema candidate, warehouse, quality, marts',
    'select, insert, update, delete on all tables in schema publish',
    'insert on quality.ledger'
]);

-- Values of rejected rows may be personal: an auditor sees where and why, not what.
select quality.grant_to('kaw_auditor', array[
    'usage on schema quality, marts, publish',
    'select on all tables in schema quality, marts, publish'
]);
do $$
begin
    if exists (select 1 from pg_roles where rolname = 'kaw_auditor') then
        revoke select on quality.rejected_rows from kaw_auditor;
        grant select (load_id, source_name, table_name, file_name, file_line, column_name, reason, record_key)
            on quality.rejected_rows to kaw_auditor;
    end if;
end
$$;

-- Views run with their reader's rights, so a reader needs the published tables too; row-level security shows of them only
-- the version that the pointer names.
select quality.grant_to('kaw_bi_reader', array[
    'usage on schema marts, publish',
    'select on all tables in schema marts',
    'select on publish.pointer, publish.closing'
]);

select quality.grant_later(maker, 'kaw_transformer', 'all', array['staging', 'warehouse', 'candidate'])
from unnest(array[current_user::text, 'kaw_transformer']) as makers (maker);
select quality.grant_later(maker, 'kaw_publisher', 'select', array['candidate', 'warehouse'])
from unnest(array[current_user::text, 'kaw_transformer']) as makers (maker);
select quality.grant_later(maker, 'kaw_gatekeeper', 'select', array['staging', 'warehouse', 'candidate', 'publish'])
from unnest(array[current_user::text, 'kaw_transformer', 'kaw_publisher']) as makers (maker);
select quality.grant_later(maker, 'kaw_publisher', 'select, insert, update, delete', array['publish'])
from unnest(array[current_user::text]) as makers (maker);
select quality.grant_later(maker, role_name, 'select', array['publish', 'marts'])
from unnest(array[current_user::text, 'kaw_publisher']) as makers (maker)
cross join unnest(array['kaw_auditor', 'kaw_bi_reader']) as readers (role_name);

-- What an earlier version built as the owner becomes the transformer's, who replaces it every night.
do $$
declare
    built record;
begin
    if exists (select 1 from pg_roles where rolname = 'kaw_transformer' and pg_has_role(oid, 'member')) then
        for built in
            select oid::regclass as name, relkind
            from pg_class
            where
                relnamespace in ('staging'::regnamespace, 'warehouse'::regnamespace, 'candidate'::regnamespace)
                and relkind in ('r', 'v')
                and relowner = current_user::regrole
        loop
            execute format('alter %s %s owner to kaw_transformer', case built.relkind when 'v' then 'view' else 'table' end, built.name);
        end loop;
    end if;
end
$$;
-- Functions that rules use; rule files stay readable and the thresholds stay in seeds.

-- A threshold of the seed quality_parameters as it stood on the business date. A rule without its threshold must not pass.
create or replace function quality.parameter(of_rule text, of_name text, as_of date) returns numeric
language plpgsql stable set search_path = quality, pg_temp as $$
declare
    found numeric;
begin
    select parameters.value into found
    from staging.quality_parameters as parameters
    where
        parameters.rule_id = of_rule
        and parameters.name = of_name
        and parameters.valid_from <= as_of
        and (parameters.valid_to is null or as_of < parameters.valid_to)
    order by parameters.valid_from desc
    limit 1;
    if found is null then
        raise exception 'the seed quality_parameters has no % of % on %', of_name, of_rule, as_of;
    end if;
    return found;
end
$$;

-- Unified social credit code: 18 characters, check character by GB 32100 (alphabet without I, O, S, V, Z; weights 3^i mod 31).
-- A string of one repeated digit passes the arithmetic when it is all zeros; the placeholder rules catch it.
create or replace function quality.uscc_is_valid(code text) returns boolean
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
    alphabet constant text := '0123456789ABCDEFGHJKLMNPQRTUWXY';
    weight integer := 1;
    total integer := 0;
    place integer;
begin
    if code !~ '^[0-9A-HJ-NP-RTUWXY]{18}$' then
        return false;
    end if;
    for position in 1..17 loop
        total := total + weight * (strpos(alphabet, substr(code, position, 1)) - 1);
        weight := weight * 3 % 31;
    end loop;
    place := (31 - total % 31) % 31;
    return substr(code, 18, 1) = substr(alphabet, place + 1, 1);
end
$$;

-- A company name as it is compared: NFKC, capitals, without brackets, blanks, points and the legal form.
create or replace function quality.normalised_name(name text) returns text
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    select regexp_replace(
        regexp_replace(upper(normalize(name, nfkc)), '[[:space:]()\[\]{}<>〔〕【】《》「」·.,、，。_-]', '', 'g'),
        '(股份有限责任公司|股份有限公司|有限责任公司|有限公司|责任公司|公司)$', ''
    )
$$;

-- Similarity of two names, 0 to 1: twice the common pairs of adjacent characters over all pairs of both (Dice), pairs counted
-- as often as they stand. Names of one character are equal or not.
create or replace function quality.name_similarity(one text, other text) returns numeric
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    with names as (
        select quality.normalised_name(one) as a, quality.normalised_name(other) as b
    ),

    pairs_a as (
        select substr(a, place, 2) as pair, count(*) as times
        from names cross join generate_series(1, length(a) - 1) as place
        group by 1
    ),

    pairs_b as (
        select substr(b, place, 2) as pair, count(*) as times
        from names cross join generate_series(1, length(b) - 1) as place
        group by 1
    )

    select case
        when a = b then 1
        when length(a) < 2 or length(b) < 2 then 0
        else
            2 * coalesce(
                (select sum(least(pairs_a.times, pairs_b.times)) from pairs_a inner join pairs_b using (pair)), 0
            )::numeric / (length(a) + length(b) - 2)
    end
    from names
$$;

-- A number made up at the keyboard: one digit eight times in a row, or its last eight digits counting up or down.
create or replace function quality.is_made_up_number(number text) returns boolean
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    select
        number ~ '([0-9])\1{7}'
        or (
            length(number) >= 8
            and (
                strpos('012345678901234567890', right(number, 8)) > 0
                or strpos('098765432109876543210', right(number, 8)) > 0
            )
        )
$$;

-- Sum of a curve's collected slots, exact; null where no slot was collected.
create or replace function quality.slot_sum(slots double precision []) returns numeric
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
    select sum(slot::numeric) from unnest(slots) as slot
$$;

-- Number of collected slots of a curve.
create or replace function quality.slot_count(slots double precision []) returns integer
language sql immutable strict parallel safe as $$
    select num_nonnulls(variadic slots)
$$;

-- Consumption between two readings of a register with n integer digits; a register that passed 10^n goes on from zero.
-- A roll-over is believed where the reading before is above `from_share` and the one after below `below_share` of 10^n.
create or replace function quality.register_difference(
    before numeric, after numeric, digits integer, from_share numeric, below_share numeric
) returns numeric
language sql immutable parallel safe as $$
    select after - before + case
        when after < before and before > from_share * 10::numeric ^ digits and after < below_share * 10::numeric ^ digits
            then 10::numeric ^ digits
        else 0
    end
$$;

-- XSR-28: which of three systems' values is likely right. Two that agree outvote the third. Where all differ, or only two are
-- known, the one with the most points of evidence is; null where no evidence stands out.
drop function if exists quality.likely_right(numeric, numeric, numeric, numeric, numeric, numeric);
create or replace function quality.likely_right(
    metering anycompatible, marketing anycompatible, contract anycompatible,
    metering_points numeric, marketing_points numeric, contract_points numeric
) returns anycompatible
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case
        when metering = marketing or metering = contract then metering
        when marketing = contract then marketing
        else (
            select case when count(*) = 1 then min(best.given) end
            from (
                select
                    sides.given,
                    coalesce(sides.points, 0) as points,
                    max(coalesce(sides.points, 0)) over () as most
                from (
                    values (metering, metering_points), (marketing, marketing_points), (contract, contract_points)
                ) as sides (given, points)
                where sides.given is not null
            ) as best
            where best.points = best.most
        )
    end
$$;

-- Only a table's owner may gather its statistics; a gate needs them between two statements of one transaction.
create or replace function quality.analyze_quarantined_rows() returns void
language plpgsql security definer set search_path = quality, pg_temp as $$
begin
    analyze quality.quarantined_rows;
end
$$;

-- The systems whose value is another than the one that is likely right; null where that is not known.
create or replace function quality.suspect_side(
    right_value anycompatible, metering anycompatible, marketing anycompatible, contract anycompatible
) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select nullif(concat_ws(
        ' and ',
        case when metering <> right_value then 'metering' end,
        case when marketing <> right_value then 'marketing' end,
        case when contract <> right_value then 'contract' end
    ), '')
$$;

-- Chance of `hits` or more marked rows among `size` rows that are drawn from `all_size` rows of which `all_hits` are marked: the
-- upper tail of the hypergeometric distribution, Fisher's exact test to one side. Weights are relative to that of `hits`; each
-- follows from its neighbour, so that no factorial is needed, and those too small for a double to notice are left out.
create or replace function quality.hypergeometric_tail(hits bigint, size bigint, all_hits bigint, all_size bigint)
returns double precision
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    least_hits constant double precision := greatest(0, size + all_hits - all_size);
    most_hits constant double precision := least(size, all_hits);
    unmarked_left constant double precision := all_size - all_hits - size;
    negligible constant double precision := 1e-17;
    overwhelming constant double precision := 1e200;
    place double precision := hits;
    weight double precision := 1;
    upper_sum double precision := 1;
    lower_sum double precision := 0;
begin
    if hits > most_hits then
        return 0;
    end if;
    while place < most_hits and weight > negligible * upper_sum and upper_sum < overwhelming loop
        weight := weight * (all_hits - place) * (size - place) / ((place + 1) * (unmarked_left + place + 1));
        upper_sum := upper_sum + weight;
        place := place + 1;
    end loop;
    place := hits;
    weight := 1;
    while place > least_hits and weight > negligible * lower_sum and lower_sum < overwhelming loop
        weight := weight * place * (unmarked_left + place) / ((all_hits - place + 1) * (size - place + 1));
        lower_sum := lower_sum + weight;
        place := place - 1;
    end loop;
    return upper_sum / (upper_sum + lower_sum);
end
$$;
