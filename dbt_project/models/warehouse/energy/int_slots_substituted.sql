{{ config(indexes=[{'columns': ['metering_point_no', 'reading_date']}]) }}

-- What a missing slot itself, its neighbours and its check meter tell.
with gaps as (
    select * from {{ ref('int_curve_gaps') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

slots as (
    select
        gaps.metering_point_no,
        gaps.quantity_code,
        {{ day_of_slot('(gaps.first_slot_index + steps.step)') }} as reading_date,
        {{ slot_of_day('(gaps.first_slot_index + steps.step)') }} as slot_no,
        gaps.is_outage,
        case
            when gaps.is_interpolated
                then gaps.energy_before + (gaps.energy_after - gaps.energy_before) * (steps.step + 1) / (gaps.gap_slots + 1)
        end as linear_energy
    from gaps
    cross join lateral generate_series(0, gaps.gap_slots - 1) as steps (step)
),

-- A point with several check points is measured by them together or in part: none of them is its double.
check_points as (
    select
        days.metering_point_no,
        days.reading_date,
        min(metering_points.metering_point_no) as check_metering_point_no
    from (select distinct metering_point_no, reading_date from slots) as days
    inner join metering_points
        on
            days.metering_point_no = metering_points.parent_metering_point_no
            and metering_points.role_code = 'CHECK'
            and {{ is_valid_on('metering_points', 'days.reading_date') }}
    group by days.metering_point_no, days.reading_date
    having count(*) = 1
),

curves as (
    select * from {{ ref('int_curves_validated') }}
    where
        phase_code = 'T'
        and metering_point_no = any (array(select check_points.check_metering_point_no from check_points))
),

checked as (
    select
        check_points.metering_point_no,
        check_points.reading_date,
        curves.quantity_code,
        measured.slot_no,
        measured.slot_value::numeric * curves.primary_factor as check_energy
    from check_points
    inner join curves
        on
            check_points.check_metering_point_no = curves.metering_point_no
            and check_points.reading_date = curves.reading_date
    cross join lateral unnest(
        curves.values_by_slot, string_to_array(curves.slot_states, null)
    ) with ordinality as measured (slot_value, slot_state, slot_no)
    where measured.slot_state = 'V'
),

final as (
    select
        slots.metering_point_no,
        slots.quantity_code,
        slots.reading_date,
        slots.slot_no,
        slots.is_outage,
        checked.check_energy::numeric(20, 6) as check_energy,
        slots.linear_energy::numeric(20, 6) as linear_energy,
        case when slots.is_outage then 0 end::numeric(20, 6) as outage_energy
    from slots
    left join checked using (metering_point_no, quantity_code, reading_date, slot_no)
)

select * from final
