/*
sentence: A meter in 3P3W wiring is not on a low-voltage supply and has no voltage of phase B; one in 3P4W wiring delivers the voltages of all three phases.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Voltages of the wrong wiring are judged by the wrong limits.
source: project rule
subject: met_measuring_point
not_tested: No meter's wiring is known.
population: metering points whose wiring is known
tests: touched points
touched_by: [met_interval_96]
reads: [int_curves_latest, int_metering_points_current, stg_metering__curves]
*/
-- tested
with voltages as (
    select
        curves.metering_point_no,
        curves.reading_date,
        string_agg(distinct curves.phase_code, '' order by curves.phase_code) as phases,
        bool_or(curves.phase_code = 'B' and quality.slot_sum(curves.values_by_slot) > 0) as has_phase_b
    from staging.int_curves_latest as curves
    where
        curves.quantity_code = 'U'
        and curves.phase_code in ('A', 'B', 'C')
        -- One phase that landed tonight is judged with the others of its day.
        and (curves.metering_point_no, curves.reading_date) in {{ days_touched(['U']) }}
    group by curves.metering_point_no, curves.reading_date
),

measured as (
    select
        metering_point_no,
        bool_or(has_phase_b) as has_phase_b,
        min(phases) filter (where phases <> 'ABC') as phases_of_a_part
    from voltages
    group by metering_point_no
)

select
    {{ row_of('points') }},
    case
        when points.wiring_code = '3P4W' then '3P4W with voltage of phase ' || measured.phases_of_a_part || ' alone'
        when measured.has_phase_b then '3P3W with voltage on phase B'
        when points.voltage_level_code in ('AC220V', 'AC380V') then '3P3W on ' || points.voltage_level_code
    end as disagreement
from staging.int_metering_points_current as points
left join measured on points.metering_point_no = measured.metering_point_no
where points.wiring_code in ('3P3W', '3P4W')
-- violations
select
    {{ finding('wiring') }},
    disagreement as observed,
    'voltages of three phases in 3P4W; in 3P3W none of phase B, and a supply above AC380V' as expected
from tested
where disagreement is not null
