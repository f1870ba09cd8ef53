with curves as (
    select * from {{ ref('int_curves_validated') }}
    where quantity_code = 'U' and phase_code in ('A', 'B', 'C')
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

voltage_limits as (
    select * from {{ ref('voltage_limits') }}
),

expected_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_expected
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

judged_days as (
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
),

-- A day that never came is missing, and not a day without a row: on each phase that the point tells on other days.
-- Stacked and counted, because an anti-join on tables that are not yet analyzed compares each row with each.
wanted_and_told as (
    select
        expected_days.metering_point_no,
        expected_days.reading_date,
        phases.phase_code,
        expected_days.account_no,
        expected_days.is_counted_in_account,
        expected_days.outage_slots,
        false as is_told
    from (select distinct metering_point_no, phase_code from judged_days) as phases
    inner join expected_days on phases.metering_point_no = expected_days.metering_point_no
    union all
    select metering_point_no, reading_date, phase_code, account_no, is_counted_in_account, outage_slots, true as is_told
    from judged_days
),

lost_days as (
    select
        metering_point_no,
        reading_date,
        phase_code,
        max(account_no) as account_no,
        bool_or(is_counted_in_account) as is_counted_in_account,
        max(outage_slots) as outage_slots
    from wanted_and_told
    group by metering_point_no, reading_date, phase_code
    having not bool_or(is_told)
),

final as (
    select * from judged_days
    union all
    select
        metering_point_no,
        reading_date,
        phase_code,
        account_no,
        is_counted_in_account,
        null::numeric(10, 4) as nominal_v,
        null::numeric(10, 4) as lower_limit_v,
        null::numeric(10, 4) as upper_limit_v,
        0 as valid_slots,
        0 as in_band_slots,
        0 as over_slots,
        0 as under_slots,
        null::numeric(14, 4) as voltage_min_v,
        null::numeric(14, 4) as voltage_max_v,
        null::numeric(14, 4) as voltage_average_v,
        outage_slots,
        96 - outage_slots as missing_slots
    from lost_days
)

select * from final
