/*
sentence: A meter in 3P3W wiring is not on a low-voltage supply and has no voltage of phase B.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Voltages of the wrong wiring are judged by the wrong limits.
source: project rule. A phase that a meter in 3P4W wiring does not deliver is EXP-04.
subject: met_measuring_point
not_tested: No meter is in 3P3W wiring.
population: metering points in 3P3W wiring
tests: touched points
touched_by: [met_interval_96]
reads: [int_curves_latest, int_metering_points_current, stg_metering__curves]
*/
-- tested
with measured as (
    select
        curves.metering_point_no,
        bool_or(0 < any(curves.values_by_slot)) as has_phase_b
    from {{ curves_of_dates_touched() }} as curves
    where
        curves.quantity_code = 'U'
        and curves.phase_code = 'B'
        -- One phase that landed tonight is judged with the others of its day.
        and (curves.metering_point_no, curves.reading_date) in {{ days_touched(['U']) }}
    group by curves.metering_point_no
)

select
    {{ row_of('points') }},
    case
        when measured.has_phase_b then '3P3W with voltage on phase B'
        when points.voltage_level_code in ('AC220V', 'AC380V') then '3P3W on ' || points.voltage_level_code
    end as disagreement
from staging.int_metering_points_current as points
left join measured on points.metering_point_no = measured.metering_point_no
where points.wiring_code = '3P3W'
-- violations
select
    {{ finding('wiring') }},
    disagreement as observed,
    'in 3P3W no voltage of phase B, and a supply above AC380V' as expected
from tested
where disagreement is not null
