/*
sentence: "The billing points of the business date are collected by {due_hour} of the next day: a warning below {warn_below_share}, a block below {block_below_share}."
axis: late
dimension: timeliness
severity: block
owner: metering office
reason: A day that is half collected looks like a day of half the energy.
source: project rule
subject: business date
about: met_interval_96
not_tested: No billing point is expected to report.
population: the business date, where billing points should report
tests: window
reads: [int_curves_latest, int_metering_points_as_of]
parameters: [block_below_share, due_hour, warn_below_share]
*/
-- tested
with expected as (
    select distinct points.metering_point_no
    from staging.int_metering_points_as_of as points
    where points.is_expected_to_report and {{ is_valid_on('points', ':business_date') }}
),

received as (
    select distinct curves.metering_point_no
    from staging.int_curves_latest as curves
    where
        curves.reading_date = :business_date
        and curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
        and curves.received_at <= {{ day_start_at(':business_date + 1') }} + make_interval(hours => :due_hour::integer)
)

select
    jsonb_build_object('business_date', :business_date) as record_key,
    count(*) as expected_points,
    count(received.metering_point_no) as received_points
from expected
left join received on expected.metering_point_no = received.metering_point_no
having count(*) > 0
-- violations
select
    {{ finding('data_date', key='record_key', account=false) }},
    received_points || ' of ' || expected_points || ' points by 08:00' as observed,
    'at least ' || round(100 * :warn_below_share) || ' %' as expected,
    case when received_points < :block_below_share * expected_points then 'block' else 'warn' end as severity
from tested
where received_points < :warn_below_share * expected_points
