/*
sentence: An outage that voltage and current of a point tell is told by its power events too.
axis: missing
dimension: consistency
severity: warn
owner: metering office
reason: An outage without events has no exact start and end, and is not reported while it lasts.
source: project rule; who is dark for two slots or more lost its supply
subject: metering point x outage
about: met_power_event
not_tested: No point was without supply.
population: outages of points, by events, samples or curves
reads: [int_customer_outages, int_metering_points_as_of]
*/
-- tested
select
    jsonb_build_object('mp_no', outages.metering_point_no, 'event_ts', outages.started_at) as record_key,
    points.account_no,
    outages.started_at,
    outages.ended_at,
    outages.basis_code
from staging.int_customer_outages as outages
inner join staging.int_metering_points_as_of as points
    on outages.metering_point_no = points.metering_point_no and {{ is_valid_on('points', local_date('outages.started_at')) }}
where points.is_expected_to_report
-- violations
select
    {{ finding('event_ts', day=local_date('started_at'), key='record_key') }},
    'no voltage and no current from ' || started_at || ' to ' || coalesce(ended_at::text, 'now') || ', no event' as observed,
    'POWER_DOWN and POWER_UP' as expected
from tested
where basis_code = 'CURVE'
