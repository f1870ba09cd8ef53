-- What the rules saw, what became of it, and what is withheld.

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

-- What is withheld now.
create or replace view quality.withheld as
select *
from quality.quarantined_rows
where released_run is null and superseded_run is null;

-- Curves that the gate of this night tests: landed since the last passed gate, or with an open finding.
create or replace view quality.touched_curves as
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
