{{ config(indexes=[{'columns': ['metering_point_no', 'reading_date']}]) }}

with slots as (
    select * from {{ ref('int_slots_substituted') }}
),

like_days as (
    select * from {{ ref('int_slots_like_days') }}
),

scales as (
    select * from {{ ref('int_estimation_scales') }}
),

-- The energy of a line is spread evenly over its slots.
agreed as (
    select
        *,
        energy_kwh / (last_slot_no - first_slot_no + 1) as agreed_energy
    from {{ ref('int_agreed_estimates') }}
    where problem is null
),

methods as (
    select * from {{ ref('estimation_methods') }}
),

scaled as (
    select
        like_days.*,
        (like_days.like_day_energy * scales.scale_factor)::numeric(20, 6) as scaled_energy
    from like_days
    left join scales
        on
            like_days.metering_point_no = scales.metering_point_no
            and like_days.quantity_code = scales.quantity_code
            and like_days.reading_date between scales.first_date and scales.last_date
),

substituted as (
    select
        slots.metering_point_no,
        slots.quantity_code,
        slots.reading_date,
        slots.slot_no,
        slots.is_outage,
        chosen.energy,
        chosen.method_code,
        coalesce(chosen.quality_code, 'N') as quality_code
    from slots
    left join scaled using (metering_point_no, quantity_code, reading_date, slot_no)
    left join agreed
        on
            slots.metering_point_no = agreed.metering_point_no
            and slots.quantity_code = agreed.quantity_code
            and slots.reading_date = agreed.reading_date
            and slots.slot_no between agreed.first_slot_no and agreed.last_slot_no
    left join lateral (
        select
            offered.energy,
            methods.method_code,
            methods.quality_code
        from (
            values
            ('CHECK_METER', slots.check_energy),
            ('LINEAR', slots.linear_energy),
            ('SCALED_LIKE_DAYS', scaled.scaled_energy),
            ('LIKE_DAYS', scaled.like_day_energy),
            ('ZERO', slots.outage_energy),
            ('AGREED', agreed.agreed_energy)
        ) as offered (method_name, energy)
        inner join methods
            on offered.method_name = methods.method_name and {{ is_valid_on('methods', 'slots.reading_date') }}
        where offered.energy is not null
        order by methods.step_no
        limit 1
    ) as chosen on true
),

-- Slots with a reading have no row above: they are A, and no estimate stands beside them.
folded as (
    select
        days.metering_point_no,
        days.quantity_code,
        days.reading_date,
        array_agg(substituted.energy order by all_slots.slot_no) as energy_by_slot,
        array_agg(substituted.method_code order by all_slots.slot_no) as method_codes,
        string_agg(coalesce(substituted.quality_code, 'A'), '' order by all_slots.slot_no) as slot_qualities,
        sum(substituted.energy) as estimated_energy,
        (count(substituted.energy) filter (where not substituted.is_outage))::integer as estimated_slots
    from (select distinct metering_point_no, quantity_code, reading_date from substituted) as days
    cross join generate_series(1, 96) as all_slots (slot_no)
    left join substituted
        on
            days.metering_point_no = substituted.metering_point_no
            and days.quantity_code = substituted.quantity_code
            and days.reading_date = substituted.reading_date
            and all_slots.slot_no = substituted.slot_no
    group by days.metering_point_no, days.quantity_code, days.reading_date
),

final as (
    select
        metering_point_no,
        quantity_code,
        reading_date,
        energy_by_slot::numeric(20, 6)[] as energy_by_slot,
        method_codes::smallint[] as method_codes,
        slot_qualities,
        case when slot_qualities = repeat(left(slot_qualities, 1), 96) then left(slot_qualities, 1) else 'V' end as quality_code,
        estimated_energy::numeric(20, 4) as estimated_energy,
        estimated_slots
    from folded
)

select * from final
