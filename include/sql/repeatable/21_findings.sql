-- What the rules saw, what became of it, and what is withheld.

-- What depends on each root now.
create or replace view quality.dependants as
select
    root_finding_id,
    sum(records)::bigint as records,
    -- by table: a bill and its payment are the same yuan
    string_agg(
        records || ' ' || table_name || coalesce(', ' || to_char(cny, 'FM999,999,999,999,990.00') || ' yuan', ''),
        '; ' order by cny desc nulls last, table_name
    ) as text
from (
    select root_finding_id, table_name, count(*) as records, sum(cny) as cny
    from (
        -- a record that fails by several rules is one record
        select event.root_finding_id, event.table_name, event.record_key, max(event.exposure_cny) as cny
        from quality.finding_events as event
        where
            event.root_finding_id is not null
            and not exists (
                select 1
                from quality.finding_events as later
                where later.finding_id = event.finding_id and later.event_id > event.event_id
            )
        group by event.root_finding_id, event.table_name, event.record_key
    ) as by_record
    group by root_finding_id, table_name
) as by_table
group by root_finding_id;

-- The life of each finding. `state` is what it is now; `last_change` is the last event that told something new: an open
-- finding was opened, changed, or its waiver expired. Its age counts business dates, to the run at work or to the fix.
-- A dependant has no other cause than the finding that is its root, which counts it: records and yuan by table.
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
        max(at) filter (where event in ('opened', 'seen', 'changed', 'dependant', 'waived', 'expired')) as last_seen_at,
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
    case when latest.event in ('fixed', 'waived', 'dependant') then latest.event else 'open' end as state,
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
    case latest.event when 'fixed' then latest.at end as fixed_at,
    -- what the defect changes, and apart from it what rests on the record; the former names stay until the next release
    latest.energy_at_stake_kwh as error_kwh,
    latest.amount_at_stake_cny as error_cny,
    latest.error_cny_year,
    latest.exposure_kwh,
    latest.exposure_cny,
    latest.cause,
    case latest.event when 'dependant' then latest.root_finding_id end as root_finding_id,
    coalesce(
        (select found.records from quality.dependants as found where found.root_finding_id = latest.finding_id), 0
    ) as dependants,
    (
        select found.text from quality.dependants as found where found.root_finding_id = latest.finding_id
    ) as dependants_text
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

-- What is withheld now.
create or replace view quality.withheld as
select *
from quality.quarantined_rows
where released_run is null and superseded_run is null;

-- Values that are withheld now: their rows go on with null in their place.
create or replace view quality.withheld_now as
select *
from quality.withheld_values
where released_run is null and superseded_run is null;

-- What landed since the last passed gate has a higher number than this.
create or replace function quality.last_passed_load_id() returns bigint
language sql stable as $$
    select last_passed_load_id from quality.current_run
$$;

-- Curves that the gate of this night tests although they landed before the last passed gate.
create or replace view quality.curves_tested_again as
select raw_id
from quality.quarantined_rows
where table_name = 'met_interval_96'
union
select raw_id
from quality.open_findings
where table_name = 'met_interval_96' and raw_id is not null;

-- Curves that the gate of this night tests: landed since the last passed gate, or once more.
create or replace view quality.touched_curves as
select
    'met_interval_96'::text as table_name,
    curves._raw_id as raw_id
from raw_metering.met_interval_96 as curves
where curves._load_id > quality.last_passed_load_id()
union
select
    'met_interval_96'::text as table_name,
    raw_id
from quality.curves_tested_again;
