with curves as (
    select * from {{ ref('int_curves_validated') }}
    where phase_code = 'T'
),

quantities as (
    select * from {{ ref('estimation_registers') }}
),

expected_days as (
    select * from {{ ref('int_readings_expected') }}
),

outage_slots as (
    select * from {{ ref('int_outage_slots') }}
),

interruptions as (
    select * from {{ ref('int_customer_outages') }}
),

energy_curves as (
    select curves.*
    from curves
    inner join quantities
        on curves.quantity_code = quantities.quantity_code and {{ is_valid_on('quantities', 'curves.reading_date') }}
),

-- A point should deliver, every day, each quantity that it delivers at all.
absent_curves as (
    select
        expected_days.metering_point_no,
        delivered.quantity_code,
        expected_days.reading_date,
        coalesce(translate(outage_slots.covered_slots, '01', 'MO'), repeat('M', 96)) as slot_states
    from expected_days
    inner join (select distinct metering_point_no, quantity_code from energy_curves) as delivered
        on expected_days.metering_point_no = delivered.metering_point_no
    left join energy_curves
        on
            expected_days.metering_point_no = energy_curves.metering_point_no
            and expected_days.reading_date = energy_curves.reading_date
            and delivered.quantity_code = energy_curves.quantity_code
    left join outage_slots
        on
            expected_days.metering_point_no = outage_slots.metering_point_no
            and expected_days.reading_date = outage_slots.reading_date
    where energy_curves.metering_point_no is null
),

-- Whole curves are never unfolded. A slot of an interruption is a gap only where the meter says nothing about it.
gapped_curves as (
    select metering_point_no, quantity_code, reading_date, values_by_slot, slot_states
    from energy_curves
    where slot_states ~ '[MZ]' or (slot_states like '%O%' and array_position(values_by_slot, null) is not null)
    union all
    select metering_point_no, quantity_code, reading_date, null as values_by_slot, slot_states
    from absent_curves
),

missing_slots as (
    select
        gapped_curves.metering_point_no,
        gapped_curves.quantity_code,
        {{ slot_index('gapped_curves.reading_date', 'slots.slot_no') }} as slot_index,
        slots.slot_state = 'O' as is_outage
    from gapped_curves
    cross join lateral unnest(
        string_to_array(gapped_curves.slot_states, null), gapped_curves.values_by_slot
    ) with ordinality as slots (slot_state, slot_value, slot_no)
    where slots.slot_state in ('M', 'Z') or (slots.slot_state = 'O' and slots.slot_value is null)
),

islands as (
    select
        metering_point_no,
        quantity_code,
        is_outage,
        slot_index,
        slot_index - row_number() over (partition by metering_point_no, quantity_code, is_outage order by slot_index) as island
    from missing_slots
),

gaps as (
    select
        metering_point_no,
        quantity_code,
        is_outage,
        min(slot_index) as first_slot_index,
        max(slot_index) as last_slot_index,
        count(*)::integer as gap_slots
    from islands
    group by metering_point_no, quantity_code, is_outage, island
),

-- A valid end is a reading in a slot that no interruption touches, not even for a moment.
ends as (
    select
        gaps.metering_point_no,
        gaps.quantity_code,
        gaps.first_slot_index,
        max(measured.energy) filter (where sides.slot_index < gaps.first_slot_index) as energy_before,
        max(measured.energy) filter (where sides.slot_index > gaps.last_slot_index) as energy_after
    from gaps
    cross join lateral (values (gaps.first_slot_index - 1), (gaps.last_slot_index + 1)) as sides (slot_index)
    inner join energy_curves
        on
            gaps.metering_point_no = energy_curves.metering_point_no
            and gaps.quantity_code = energy_curves.quantity_code
            and {{ day_of_slot('sides.slot_index') }} = energy_curves.reading_date
    cross join lateral (
        select
            (energy_curves.values_by_slot)[{{ slot_of_day('sides.slot_index') }}]::numeric
            * energy_curves.primary_factor as energy
        where substr(energy_curves.slot_states, {{ slot_of_day('sides.slot_index') }}, 1) = 'V'
    ) as measured
    where
        not gaps.is_outage
        and not exists (
            select 1
            from interruptions
            where
                interruptions.metering_point_no = gaps.metering_point_no
                and interruptions.started_at
                < {{ slot_end_at("date '2000-01-01'", 'sides.slot_index') }}
                and coalesce(interruptions.ended_at, 'infinity'::timestamptz)
                > {{ slot_start_at("date '2000-01-01'", 'sides.slot_index') }}
        )
    group by gaps.metering_point_no, gaps.quantity_code, gaps.first_slot_index
),

final as (
    select
        gaps.metering_point_no,
        gaps.quantity_code,
        {{ slot_start_at("date '2000-01-01'", 'gaps.first_slot_index') }} as started_at,
        {{ slot_end_at("date '2000-01-01'", 'gaps.last_slot_index') }} as ended_at,
        gaps.first_slot_index,
        gaps.gap_slots,
        gaps.is_outage,
        ends.energy_before::numeric(20, 6) as energy_before,
        ends.energy_after::numeric(20, 6) as energy_after,
        num_nonnulls(ends.energy_before, ends.energy_after) = 2
        and gaps.gap_slots * 15 <= {{ parameter(
            'estimation_parameters', 'linear_gap_minutes_max', on=day_of_slot('gaps.first_slot_index')
        ) }} as is_interpolated
    from gaps
    left join ends using (metering_point_no, quantity_code, first_slot_index)
)

select * from final
