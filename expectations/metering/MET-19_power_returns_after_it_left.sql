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
-- A point may have been off when its events were first delivered, and a copy (MET-21) answers nothing.
select raw_id, event_at, code_before
from {{ power_events_in_order() }} as events
where event_code = 'POWER_UP' and copy_no = 1 and code_before is not null
-- violations
select
    {{ finding('event', day=local_date('event_at'), account=false) }},
    'POWER_UP after ' || code_before as observed,
    'POWER_UP after POWER_DOWN' as expected
from tested
where code_before <> 'POWER_DOWN'
