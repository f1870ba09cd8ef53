/*
sentence: A power event is dated neither before the installation of its metering point nor on the default date of a clock.
axis: arbitrary
dimension: validity
severity: quarantine
owner: metering office
reason: A terminal that has lost its clock stamps events with the date it was made for.
source: project rule; each event alone against a list, no test of chance
subject: met_power_event
quarantines: met_power_event
not_tested: No power event was delivered.
population: power events with a time
reads: [quality_default_dates, stg_metering__measuring_points, stg_metering__power_events]
*/
-- tested
select
    events._raw_id as raw_id,
    events.event_at,
    {{ is_default_date(local_date('events.event_at')) }} as is_default,
    points.installed_at
from staging.stg_metering__power_events as events
left join {{ one_each('staging.stg_metering__measuring_points', 'metering_point_no', 'installed_at') }} as points
    on events.metering_point_no = points.metering_point_no
where events.event_at is not null
-- violations
select
    {{ finding('event_ts', day=local_date('event_at'), account=false) }},
    event_at::text as observed,
    'after ' || coalesce(installed_at::text, 'the default dates') as expected
from tested
where is_default or event_at < installed_at
