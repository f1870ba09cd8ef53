{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['reading_date']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date'}}
) }}

with curves as (
    select * from {{ touched(ref('int_curves_validated')) }}
    where quantity_code = 'U' and phase_code in ('A', 'B', 'C')
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

voltage_limits as (
    select * from {{ ref('voltage_limits') }}
),

-- Curves are secondary volts, and so are the limits; a curve in primary volts is judged by the limits times the ratio.
-- In 3P3W wiring there is no voltage of phase B: zero is normal there and says nothing.
limited as (
    select
        curves.metering_point_no,
        curves.reading_date,
        curves.phase_code,
        metering_points.account_no,
        metering_points.is_counted_in_account,
        curves.values_by_slot,
        curves.slot_states,
        voltage_limits.nominal_v,
        voltage_limits.lower_limit_v,
        voltage_limits.upper_limit_v,
        case when curves.is_primary then metering_points.pt_ratio else 1 end as limit_factor
    from curves
    inner join metering_points
        on
            curves.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'curves.reading_date') }}
    inner join voltage_limits
        on
            metering_points.voltage_level_code = voltage_limits.voltage_level_code
            and metering_points.metering_side_code = voltage_limits.metering_side_code
            and metering_points.wiring_code = voltage_limits.wiring_code
            and {{ is_valid_on('voltage_limits', 'curves.reading_date') }}
    where not (metering_points.wiring_code = '3P3W' and curves.phase_code = 'B')
),

final as (
    select
        limited.metering_point_no,
        limited.reading_date,
        limited.phase_code,
        limited.account_no,
        limited.is_counted_in_account,
        limited.nominal_v,
        limited.lower_limit_v,
        limited.upper_limit_v,
        96 - length(translate(limited.slot_states, 'V', '')) as valid_slots,
        96 - length(translate(limited.slot_states, 'V', '')) - judged.over_slots - judged.under_slots as in_band_slots,
        judged.over_slots,
        judged.under_slots,
        (judged.min_v / limited.limit_factor)::numeric(14, 4) as voltage_min_v,
        (judged.max_v / limited.limit_factor)::numeric(14, 4) as voltage_max_v,
        (judged.average_v / limited.limit_factor)::numeric(14, 4) as voltage_average_v,
        96 - length(translate(limited.slot_states, 'O', '')) as outage_slots,
        96 - length(translate(limited.slot_states, 'MZ', '')) as missing_slots
    from limited
    cross join lateral (
        select
            (count(*) filter (
                where slots.slot_value > (limited.upper_limit_v * limited.limit_factor)::double precision
            ))::integer as over_slots,
            (count(*) filter (
                where slots.slot_value < (limited.lower_limit_v * limited.limit_factor)::double precision
            ))::integer as under_slots,
            min(slots.slot_value)::numeric as min_v,
            max(slots.slot_value)::numeric as max_v,
            -- in whole tenths of a millivolt: exact in any order, and several times as fast as numeric
            avg((slots.slot_value * 10000)::bigint) / 10000 as average_v
        from unnest(limited.values_by_slot) with ordinality as slots (slot_value, slot_no)
        where limited.slot_states = repeat('V', 96) or substr(limited.slot_states, slots.slot_no::integer, 1) = 'V'
    ) as judged
)

select * from final
