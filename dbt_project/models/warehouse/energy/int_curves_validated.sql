{{ config(
    indexes=[
        {'columns': ['metering_point_no', 'reading_date']},
        {'columns': ['account_no', 'reading_date']},
        {'columns': ['reading_date']}
    ],
    meta={
        'analyzed_columns': 'metering_point_no, reading_date, quantity_code, phase_code, account_no',
        'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date'}
    }
) }}

with curves as (
    select * from {{ touched(ref('int_curves_latest')) }}
),

metering_points as (
    select * from {{ ref('int_metering_points_as_of') }}
),

outage_slots as (
    select * from {{ touched(ref('int_outage_slots')) }}
),

zero_coded_slots as (
    select * from {{ touched(ref('int_zero_coded_slots')) }}
),

zero_coded_days as (
    select
        metering_point_no,
        reading_date,
        array_agg(slot_no order by slot_no) as slot_nos
    from zero_coded_slots
    group by metering_point_no, reading_date
),

-- Voltage and current are instants at the end of a slot, energy and power belong to the whole slot.
joined as (
    select
        curves.*,
        metering_points.account_no,
        metering_points.is_counted_in_account,
        case
            when curves.is_primary then 1
            when curves.quantity_code in ('P', 'Q', 'E+', 'E-', 'RQ1', 'RQ2', 'RQ3', 'RQ4') then metering_points.multiplier
            when curves.quantity_code = 'U' then metering_points.pt_ratio
            when curves.quantity_code = 'I' then metering_points.ct_ratio
            else 1
        end::numeric(18, 6) as primary_factor,
        case
            when curves.quantity_code in ('U', 'I') then outage_slots.dark_at_end_slots
            else outage_slots.covered_slots
        end as outage_mask,
        case when curves.quantity_code not in ('U', 'I') then zero_coded_days.slot_nos end as zero_coded_slot_nos,
        curves.quantity_code = 'U'
        and 0 = any(curves.values_by_slot)
        and not (curves.phase_code = 'B' and metering_points.wiring_code is not distinct from '3P3W') as has_dead_voltage
    from curves
    left join metering_points
        on
            curves.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'curves.reading_date') }}
    left join outage_slots
        on curves.metering_point_no = outage_slots.metering_point_no and curves.reading_date = outage_slots.reading_date
    left join zero_coded_days
        on
            curves.metering_point_no = zero_coded_days.metering_point_no
            and curves.reading_date = zero_coded_days.reading_date
),

-- V valid, M missing, O outage, Z zero-coded (collected as 0 where nothing was measured), by slot.
-- Most days are whole and undisturbed: they are labelled without being unfolded.
final as (
    select
        metering_point_no,
        reading_date,
        quantity_code,
        phase_code,
        account_no,
        is_counted_in_account,
        is_primary,
        values_by_slot,
        primary_factor,
        case
            when
                collected_slots = 96
                and outage_mask is null
                and zero_coded_slot_nos is null
                and not has_dead_voltage
                then repeat('V', 96)
            else (
                select
                    string_agg(
                        case
                            when substr(outage_mask, slots.slot_no::integer, 1) = '1' then 'O'
                            when slots.slot_value is null then 'M'
                            when slots.slot_value = 0 and slots.slot_no = any(zero_coded_slot_nos) then 'Z'
                            when slots.slot_value = 0 and has_dead_voltage then 'Z'
                            else 'V'
                        end,
                        '' order by slots.slot_no
                    )
                from unnest(values_by_slot) with ordinality as slots (slot_value, slot_no)
            )
        end as slot_states,
        version,
        collect_way_code,
        received_at
    from joined
)

select * from final
