{{ config(indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['reading_date']}]) }}

with judged_days as (
    select * from {{ ref('int_voltage_days_judged') }}
),

expected_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_expected
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
