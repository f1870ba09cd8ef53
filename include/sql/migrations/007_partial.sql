-- Values that are withheld while their row goes on, findings that follow from another one, and error apart from exposure.

-- What a rule's violation says of its reason: the row whose absence is the only cause, {"table": ..., "key": {...}}.
alter table quality.violations add column cause jsonb;

-- The amount that rests on the record (exposure), apart from what the defect changes of it: energy_at_stake_kwh and
-- amount_at_stake_cny for the period judged, error_cny_year for a year. Null is unknown, zero is no error.
alter table quality.violations
add column exposure_kwh numeric(20, 4), add column exposure_cny numeric(20, 2), add column error_cny_year numeric(20, 2);
alter table quality.finding_events
add column exposure_kwh numeric(20, 4), add column exposure_cny numeric(20, 2), add column error_cny_year numeric(20, 2);

-- Columns whose wrong value is withheld, in place of the whole row.
alter table quality.rule_book add column withholds text[] not null default '{}';

-- A dependant is stored as an event of its own series: seen each night, counted at its root, and opened when it outlives it.
alter table quality.finding_events drop constraint finding_events_event_check;
alter table quality.finding_events
add check (event in ('opened', 'seen', 'changed', 'dependant', 'fixed', 'waived', 'expired'));
alter table quality.finding_events add column cause jsonb;
alter table quality.finding_events add column root_finding_id bigint;
create index finding_events_by_root on quality.finding_events (root_finding_id) where root_finding_id is not null;

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

-- The published marts tell what of a row is partial. A version from before says so where nothing was withheld when it was
-- made; where something was, it is not known which of its measures lacked it, and the columns are empty.
do $$
declare
    mart record;
begin
    create temp table withheld_then on commit drop as
    select distinct runs.run_id
    from publish.versions as runs
    where exists (
        select 1
        from (
            select distinct on (events.table_name, events.raw_id) events.state
            from quality.quarantine_events as events
            where events.run_id <= runs.run_id
            order by events.table_name, events.raw_id, events.run_id desc
        ) as latest
        where latest.state in ('quarantined', 'blocked_by_parent')
    );
    for mart in
        select relname as name
        from pg_class
        where relnamespace = 'publish'::regnamespace and relkind = 'r' and starts_with(relname, 'mart_')
    loop
        execute format(
            'alter table publish.%I add column if not exists is_partial boolean,'
            ' add column if not exists partial_measures text[], add column if not exists withheld_rows integer,'
            ' add column if not exists withheld_kwh numeric(20, 4), add column if not exists withheld_cny numeric(20, 2)',
            mart.name
        );
        execute format(
            'update publish.%1$I as stored set is_partial = false, partial_measures = ''{}'','
            ' withheld_rows = coalesce(withheld_rows, 0), withheld_kwh = coalesce(withheld_kwh, 0),'
            ' withheld_cny = coalesce(withheld_cny, 0)'
            ' where exists (select 1 from publish.versions where versions.mart = %1$L'
            ' and versions.published_month = stored.published_month and versions.version = stored.version'
            ' and versions.run_id not in (select run_id from withheld_then))',
            mart.name
        );
    end loop;
end
$$;
