-- Values that are withheld while their row goes on, findings that follow from another one, and error apart from exposure.

-- What a rule's violation says of its reason: the row whose absence is the only cause, {"table": ..., "key": {...}}.
alter table quality.violations add column cause jsonb;

-- The amount that rests on the record, apart from what the defect changes of it.
alter table quality.violations add column exposure_kwh numeric(20, 4), add column exposure_cny numeric(20, 2);
alter table quality.finding_events add column exposure_kwh numeric(20, 4), add column exposure_cny numeric(20, 2);

-- Columns whose wrong value is withheld, in place of the whole row.
alter table quality.rule_book add column withholds text[] not null default '{}';

-- A dependant is stored as an event of its own series: seen each night, counted at its root, and opened when it outlives it.
alter table quality.finding_events drop constraint finding_events_event_check;
alter table quality.finding_events
add check (event in ('opened', 'seen', 'changed', 'dependant', 'fixed', 'waived', 'expired'));
alter table quality.finding_events add column cause jsonb;
alter table quality.finding_events add column root_finding_id bigint;

-- What the row is about: the day of its fact (null: an archive, which counts on every day), and the numbers that it names.
alter table quality.quarantined_rows add column fact_date date;
alter table quality.quarantined_rows add column identifiers jsonb;

-- A value that a rule does not trust: its row is admitted with null in its place while released_run is null; from
-- superseded_run on the row is no longer the newest of its key.
create table quality.withheld_values (
    source_name text not null,
    table_name text not null,
    raw_id bigint not null,
    column_name text not null,
    rule_ids text[] not null,
    record_key jsonb not null,
    account_no text,
    fact_date date,
    identifiers jsonb,
    exposure_kwh numeric(20, 4),
    exposure_cny numeric(20, 2),
    from_run bigint not null,
    released_run bigint,
    superseded_run bigint,
    primary key (table_name, raw_id, column_name)
);
