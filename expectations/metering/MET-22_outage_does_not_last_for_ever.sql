/*
sentence: An outage at a metering point lasts {days:words} days at most.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: A longer one is a lost POWER_UP, and would fill the reliability of a month.
source: project rule
subject: met_power_event
not_tested: No POWER_DOWN was delivered.
population: POWER_DOWN events
reads: [stg_metering__power_events]
parameters: [days]
*/
-- tested
select
    events.raw_id,
    events.event_at,
    coalesce(events.next_at, {{ day_start_at(':business_date + 1') }}) - events.event_at as duration
from {{ power_events_in_order() }} as events
where events.event_code = 'POWER_DOWN'
-- violations
select
    {{ finding('event_ts', day=local_date('event_at'), account=false) }},
    'off for ' || extract(day from duration) || ' days' as observed,
    'at most ' || :days::integer || ' days' as expected
from tested
where duration > make_interval(days => :days::integer)
