/*
sentence: Every POWER_UP of a metering point closes exactly one open POWER_DOWN.
axis: missing
dimension: consistency
severity: warn
owner: metering office
reason: An outage whose beginning is missing has no length.
source: project rule
subject: met_power_event
not_tested: No point has two power events.
population: POWER_UP events with an event before them
reads: [stg_metering__power_events]
*/
-- tested
with ordered as (
    select
        events._raw_id as raw_id,
        events.event_code,
        events.event_at,
        lag(events.event_code) over by_time as code_before,
        row_number() over copies as copy_no
    from staging.stg_metering__power_events as events
    where events.is_valid is not false
    window
        by_time as (
            partition by events.metering_point_no
            order by events.event_at, events.event_code, events.power_event_id
        ),
        copies as (
            partition by events.metering_point_no, events.event_code, events.event_at
            order by events.received_at nulls last, events.power_event_id
        )
)

-- A point may have been off when its events were first delivered, and a copy (MET-21) answers nothing.
select raw_id, event_at, code_before
from ordered
where event_code = 'POWER_UP' and copy_no = 1 and code_before is not null
-- violations
select
    {{ finding('event', day=local_date('event_at'), account=false) }},
    'POWER_UP after ' || code_before as observed,
    'POWER_UP after POWER_DOWN' as expected
from tested
where code_before <> 'POWER_DOWN'
