/*
sentence: A power event of a metering point at one time is delivered once; of duplicates, the first received counts.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: metering office
reason: Repeats would count as further outages.
source: project rule
subject: met_power_event
quarantines: met_power_event
not_tested: No power event was delivered.
population: power events with a point and a time
reads: [stg_metering__power_events]
*/
-- tested
select
    events._raw_id as raw_id,
    events.event_code,
    events.event_at,
    row_number() over (
        partition by events.metering_point_no, events.event_code, events.event_at
        order by events.received_at nulls last, events.power_event_id, events._raw_id
    ) as copy_no
from staging.stg_metering__power_events as events
where events.metering_point_no is not null and events.event_at is not null
-- violations
select
    {{ finding('event_ts', day=local_date('event_at'), account=false) }},
    event_code || ' at ' || event_at || ', copy ' || copy_no as observed,
    'one row for each mp_no, event, event_ts' as expected
from tested
where copy_no > 1
