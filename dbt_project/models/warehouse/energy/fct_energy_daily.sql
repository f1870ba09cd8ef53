{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['account_no', 'reading_date']}, {'columns': ['reading_date']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date'}}
) }}

with curves as (
    select * from {{ touched(ref('int_curves_validated')) }}
    where phase_code = 'T' and quantity_code in ('E+', 'E-', 'RQ1', 'RQ2', 'RQ3', 'RQ4', 'P')
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

expected as (
    select * from {{ touched(ref('int_readings_expected')) }}
),

estimates as (
    select * from {{ touched(ref('int_curves_estimated')) }}
),

outage_slots as (
    select * from {{ touched(ref('int_outage_slots')) }}
),

quadrants as (
    select * from {{ ref('reactive_quadrants') }}
    where active_direction_code = 'FORWARD'
),

-- Added up as decimals, so that the sum does not depend on the order of the slots.
summed as (
    select
        curves.metering_point_no,
        curves.reading_date,
        curves.quantity_code,
        quadrants.character_code,
        curves.slot_states,
        (
            select sum(slots.slot_value::numeric)
            from unnest(curves.values_by_slot) as slots (slot_value)
            where curves.quantity_code <> 'P'
        ) * curves.primary_factor as energy,
        highest.slot_value::numeric * curves.primary_factor as highest_value,
        array_position(curves.values_by_slot, highest.slot_value) as highest_slot_no
    from curves
    left join quadrants
        on curves.quantity_code = quadrants.quantity_code and {{ is_valid_on('quadrants', 'curves.reading_date') }}
    cross join lateral (
        select max(slots.slot_value) as slot_value
        from unnest(curves.values_by_slot) as slots (slot_value)
        where curves.quantity_code in ('E+', 'P')
    ) as highest
),

measured as (
    select
        metering_point_no,
        reading_date,
        max(energy) filter (where quantity_code = 'E+') as consumption_kwh,
        max(energy) filter (where quantity_code = 'E-') as export_kwh,
        sum(energy) filter (where character_code = 'LAGGING') as lagging_kvarh,
        sum(energy) filter (where character_code = 'LEADING') as leading_kvarh,
        max(highest_value) filter (where quantity_code = 'P') as max_power_kw,
        max(highest_slot_no) filter (where quantity_code = 'P') as max_power_slot_no,
        max(highest_value) filter (where quantity_code = 'E+') as max_slot_kwh,
        max(highest_slot_no) filter (where quantity_code = 'E+') as max_slot_kwh_slot_no,
        max(slot_states) filter (where quantity_code = 'E+') as slot_states
    from summed
    group by metering_point_no, reading_date
),

estimated as (
    select
        estimates.metering_point_no,
        estimates.reading_date,
        max(estimates.estimated_energy) filter (where estimates.quantity_code = 'E+') as estimated_kwh,
        max(estimates.estimated_energy) filter (where estimates.quantity_code = 'E-') as estimated_export_kwh,
        sum(estimates.estimated_energy) filter (where quadrants.character_code = 'LAGGING') as estimated_lagging_kvarh,
        sum(estimates.estimated_energy) filter (where quadrants.character_code = 'LEADING') as estimated_leading_kvarh,
        max(estimates.estimated_slots) filter (where estimates.quantity_code = 'E+') as estimated_slots
    from estimates
    left join quadrants
        on
            estimates.quantity_code = quadrants.quantity_code
            and {{ is_valid_on('quadrants', 'estimates.reading_date') }}
    group by estimates.metering_point_no, estimates.reading_date
),

combined as (
    select
        coalesce(expected.metering_point_no, measured.metering_point_no) as metering_point_no,
        coalesce(expected.reading_date, measured.reading_date) as reading_date,
        expected.metering_point_no is not null as is_expected,
        measured.consumption_kwh,
        measured.export_kwh,
        measured.lagging_kvarh,
        measured.leading_kvarh,
        coalesce(measured.max_power_kw, 4 * measured.max_slot_kwh) as max_kw,
        coalesce(measured.max_power_slot_no, measured.max_slot_kwh_slot_no) as max_kw_slot_no,
        measured.slot_states
    from expected
    full outer join measured
        on
            expected.metering_point_no = measured.metering_point_no
            and expected.reading_date = measured.reading_date
),

final as (
    select
        combined.metering_point_no,
        combined.reading_date,
        metering_points.account_no,
        metering_points.role_code,
        coalesce(metering_points.is_counted_in_account, false) as is_counted_in_account,
        combined.is_expected,
        combined.consumption_kwh::numeric(20, 4) as consumption_kwh,
        combined.export_kwh::numeric(20, 4) as export_kwh,
        combined.lagging_kvarh::numeric(20, 4) as lagging_kvarh,
        combined.leading_kvarh::numeric(20, 4) as leading_kvarh,
        estimated.estimated_kwh::numeric(20, 4) as estimated_kwh,
        estimated.estimated_export_kwh::numeric(20, 4) as estimated_export_kwh,
        estimated.estimated_lagging_kvarh::numeric(20, 4) as estimated_lagging_kvarh,
        estimated.estimated_leading_kvarh::numeric(20, 4) as estimated_leading_kvarh,
        combined.max_kw::numeric(18, 4) as max_kw,
        {{ slot_start_at('combined.reading_date', 'combined.max_kw_slot_no') }} as max_kw_slot_started_at,
        case when combined.is_expected then 96 else 0 end as expected_slots,
        coalesce(length(combined.slot_states) - length(translate(combined.slot_states, 'V', '')), 0) as valid_slots,
        96
        - coalesce(length(translate(combined.slot_states, 'MZ', '')), outage_slots.covered_slot_count, 0)
        - coalesce(estimated.estimated_slots, 0) as missing_slots,
        coalesce(
            length(combined.slot_states) - length(translate(combined.slot_states, 'O', '')),
            outage_slots.covered_slot_count,
            0
        ) as outage_slots,
        coalesce(estimated.estimated_slots, 0) as estimated_slots,
        coalesce(length(combined.slot_states) - length(translate(combined.slot_states, 'Z', '')), 0) as zero_coded_slots
    from combined
    left join metering_points
        on
            combined.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'combined.reading_date') }}
    left join estimated
        on
            combined.metering_point_no = estimated.metering_point_no
            and combined.reading_date = estimated.reading_date
    left join outage_slots
        on
            combined.metering_point_no = outage_slots.metering_point_no
            and combined.reading_date = outage_slots.reading_date
)

select * from final
