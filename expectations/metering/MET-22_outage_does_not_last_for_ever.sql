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
with ordered as (
    select
        events._raw_id as raw_id,
        events.event_code,
        events.event_at,
        lead(events.event_at) over by_time as next_at
    from staging.stg_metering__power_events as events
    where events.is_valid is not false
    window by_time as (
        partition by events.metering_point_no order by events.event_at, events.event_code, events.power_event_id
    )
)

select
    ordered.raw_id,
    ordered.event_at,
    coalesce(ordered.next_at, {{ day_start_at(':business_date + 1') }}) - ordered.event_at as duration,
    make_interval(days => quality.parameter('MET-22', 'days', :business_date)::integer) as longest
from ordered
where ordered.event_code = 'POWER_DOWN'
-- violations
select
    {{ finding('event_ts', day=local_date('event_at'), account=false) }},
    'off for ' || extract(day from duration) || ' days' as observed,
    'at most ' || extract(day from longest) || ' days' as expected
from tested
where duration > longest
