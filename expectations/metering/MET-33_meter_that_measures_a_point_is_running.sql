/*
sentence: A meter that measures a point in use is running.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: A meter that is booked as in stock is counted, verified and replaced as if it measured nobody.
source: project rule
subject: met_meter
not_tested: No metering point in use has a meter.
population: meters of metering points in use
reads: [int_metering_points_current, stg_metering__meters]
*/
-- tested
select
    {{ row_of('meters', 'points') }},
    meters.status_code,
    points.metering_point_no
from staging.int_metering_points_current as points
inner join staging.stg_metering__meters as meters on points.meter_asset_no = meters.meter_asset_no
where points.removed_date is null or points.removed_date > :business_date
-- violations
select
    {{ finding('status') }},
    status_code || ', at ' || metering_point_no as observed,
    'RUNNING' as expected
from tested
where status_code <> 'RUNNING'
