with curves as (
    select * from {{ ref('fct_curves_validated') }}
    where phase_code = 'T' and quantity_code in ('E+', 'E-', 'RQ1', 'RQ2', 'RQ3', 'RQ4', 'P')
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

outage_slots as (
    select * from {{ ref('int_outage_slots') }}
),

quadrants as (
    select * from {{ ref('reactive_quadrants') }}
    where active_direction_code = 'FORWARD'
),

collection as (
    select
        current_run.collection_start,
        current_run.business_date
    from {{ source('quality', 'current_run') }} as current_run
),

-- What should be there: every billing point with a meter, on every day since collection began.
expected as (
    select
        metering_points.metering_point_no,
        days.reading_date::date as reading_date
    from metering_points
    cross join collection
    cross join lateral generate_series(
        greatest(metering_points.valid_from, collection.collection_start)::timestamp,
        least(metering_points.valid_to - 1, collection.business_date)::timestamp,
        interval '1 day'
    ) as days (reading_date)
    where metering_points.is_expected_to_report
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
    left join quadrants on curves.quantity_code = quadrants.quantity_code
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
        combined.max_kw::numeric(18, 4) as max_kw,
        {{ slot_start_at('combined.reading_date', 'combined.max_kw_slot_no') }} as max_kw_slot_started_at,
        case when combined.is_expected then 96 else 0 end as expected_slots,
        coalesce(length(combined.slot_states) - length(translate(combined.slot_states, 'V', '')), 0) as valid_slots,
        96 - coalesce(length(translate(combined.slot_states, 'MZ', '')), outage_slots.covered_slot_count, 0)
            as missing_slots,
        coalesce(
            length(combined.slot_states) - length(translate(combined.slot_states, 'O', '')),
            outage_slots.covered_slot_count,
            0
        ) as outage_slots,
        0 as estimated_slots,
        coalesce(length(combined.slot_states) - length(translate(combined.slot_states, 'Z', '')), 0) as zero_coded_slots
    from combined
    left join metering_points
        on
            combined.metering_point_no = metering_points.metering_point_no
            and metering_points.valid_from <= combined.reading_date
            and (metering_points.valid_to is null or combined.reading_date < metering_points.valid_to)
    left join outage_slots
        on
            combined.metering_point_no = outage_slots.metering_point_no
            and combined.reading_date = outage_slots.reading_date
)

select * from final
