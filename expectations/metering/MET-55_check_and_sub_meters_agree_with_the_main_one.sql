/*
sentence: A check meter counts what the meter above it counts, and sub-meters together no more, within {relative} of the day.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Two meters of one load that differ show that one of them, or its ratio, is wrong.
source: project rule; the errors of two meters of class 1 by GB/T 17215.321-2021
subject: met_interval_96
not_tested: No point below another has a whole curve of the same day as that one.
population: whole energy curves of points below another point, with the whole curve of that point of the same day
tests: touched points
reads: [int_curve_days, int_metering_points_as_of, stg_metering__curves]
parameters: [relative, MET-02.slots]
*/
-- tested
with whole as (
    select days.*, days.energy_kwh::numeric * days.multiplier as primary_kwh
    from staging.int_curve_days as days
    inner join {{ days_touched(['E+']) }} as changed
        on days.metering_point_no = changed.metering_point_no and days.reading_date = changed.reading_date
    where days.energy_slots = :slots
)

select
    below.energy_raw_id as raw_id,
    below.account_no,
    below.reading_date,
    points.role_code = 'CHECK' as is_check,
    sum(below.primary_kwh) over (
        partition by points.parent_metering_point_no, below.reading_date, points.role_code = 'CHECK',
        case when points.role_code = 'CHECK' then below.metering_point_no end
    ) as below_kwh,
    above.primary_kwh as above_kwh,
    :relative * above.primary_kwh
    + above.resolution_kwh * above.multiplier + below.resolution_kwh * below.multiplier as tolerance_kwh
from whole as below
inner join staging.int_metering_points_as_of as points
    on below.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'below.reading_date') }}
inner join whole as above
    on points.parent_metering_point_no = above.metering_point_no and below.reading_date = above.reading_date
where points.parent_metering_point_no <> points.metering_point_no
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(below_kwh, 2) || ' kWh ' || case when is_check then 'at the check meter' else 'at the sub-meters' end as observed,
    case when is_check then '' else 'at most ' end || round(above_kwh, 2) || ' kWh of the meter above, within ' || round(tolerance_kwh, 2)
        as expected,
    round(abs(below_kwh - above_kwh), 4) as energy_at_stake_kwh
from tested
where below_kwh - above_kwh > tolerance_kwh or (is_check and above_kwh - below_kwh > tolerance_kwh)
