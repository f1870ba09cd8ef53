-- How the like days of a gap must be scaled for the curve to add up to its register.
with slots as (
    select * from {{ ref('int_slots_substituted') }}
),

like_days as (
    select * from {{ ref('int_slots_like_days') }}
),

registers as not materialized (
    select * from {{ ref('fct_registers_daily') }}
    where rate_code = 'T' and energy_since_previous is not null
),

quantities as (
    select * from {{ ref('estimation_registers') }}
),

open_days as (
    select distinct metering_point_no, quantity_code, reading_date
    from like_days
),

-- Freezes that were missed lie inside a longer difference: it scales all its days together. It is that of the next reading, which
-- an index finds.
spans as (
    select distinct
        registers.metering_point_no,
        quantities.quantity_code,
        registers.energy_from_date as first_date,
        registers.reading_date as last_date,
        registers.energy_since_previous as register_energy
    from open_days
    inner join quantities on open_days.quantity_code = quantities.quantity_code
    cross join lateral (
        select *
        from registers
        where
            registers.metering_point_no = open_days.metering_point_no
            and registers.energy_kind_code = quantities.energy_kind_code
            and registers.direction_code = quantities.direction_code
            and registers.reading_date >= open_days.reading_date
        order by registers.reading_date, registers.meter_asset_no
        limit 1
    ) as registers
    where registers.energy_from_date <= open_days.reading_date and {{ is_valid_on('quantities', 'registers.reading_date') }}
),

curves as (
    select * from {{ ref('int_curves_validated') }}
    where phase_code = 'T'
),

measured as (
    select
        spans.*,
        sum(slots.slot_value::numeric * curves.primary_factor) as known_energy,
        null::numeric as like_day_energy,
        count(slots.slot_value * curves.primary_factor) as known_slots
    from spans
    -- span by span, by the index of point and day: `offset 0` keeps it so
    cross join lateral (
        select *
        from curves
        where
            curves.metering_point_no = spans.metering_point_no
            and curves.quantity_code = spans.quantity_code
            and curves.reading_date between spans.first_date and spans.last_date
        offset 0
    ) as curves
    cross join lateral unnest(
        curves.values_by_slot, string_to_array(curves.slot_states, null)
    ) as slots (slot_value, slot_state)
    where slots.slot_state in ('V', 'O')
    group by
        spans.metering_point_no,
        spans.quantity_code,
        spans.first_date,
        spans.last_date,
        spans.register_energy
),

substituted as (
    select
        spans.*,
        sum(coalesce(slots.check_energy, slots.linear_energy, slots.outage_energy)) as known_energy,
        sum(like_days.like_day_energy) as like_day_energy,
        count(
            coalesce(slots.check_energy, slots.linear_energy, slots.outage_energy, like_days.like_day_energy)
        ) as known_slots
    from spans
    inner join slots
        on
            spans.metering_point_no = slots.metering_point_no
            and spans.quantity_code = slots.quantity_code
            and slots.reading_date between spans.first_date and spans.last_date
    left join like_days
        on
            slots.metering_point_no = like_days.metering_point_no
            and slots.quantity_code = like_days.quantity_code
            and slots.reading_date = like_days.reading_date
            and slots.slot_no = like_days.slot_no
    group by
        spans.metering_point_no,
        spans.quantity_code,
        spans.first_date,
        spans.last_date,
        spans.register_energy
),

summed as (
    select
        metering_point_no,
        quantity_code,
        first_date,
        last_date,
        register_energy,
        sum(known_energy) as known_energy,
        sum(like_day_energy) as like_day_energy,
        sum(known_slots) as known_slots
    from (select * from measured union all select * from substituted) as parts
    group by metering_point_no, quantity_code, first_date, last_date, register_energy
),

-- A register that counted less than the slots already known, or over slots that stay unknown, scales nothing.
final as (
    select
        metering_point_no,
        quantity_code,
        first_date,
        last_date,
        register_energy,
        coalesce(known_energy, 0)::numeric(20, 6) as known_energy,
        like_day_energy::numeric(20, 6) as like_day_energy,
        ((register_energy - coalesce(known_energy, 0)) / like_day_energy)::numeric(20, 10) as scale_factor
    from summed
    where
        like_day_energy > 0
        and known_slots = 96 * (last_date - first_date + 1)
        and register_energy >= coalesce(known_energy, 0)
)

select * from final
