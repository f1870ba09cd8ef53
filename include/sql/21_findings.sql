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
