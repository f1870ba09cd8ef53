/*
sentence: The slots of a day add up to the difference of the register, within its last digit or {relative}, whichever is more; where {smallest_share} of a day is less than that digit, those of up to {window_days} days.
axis: mismatch
dimension: consistency
severity: quarantine
owner: metering office
reason: One of the two is wrong, and the energy of the day depends on which.
source: California VEE, sum check, with a relative form for key accounts
subject: met_interval_96
quarantines: met_interval_96
not_tested: No complete curve has both register readings of its day.
population: complete energy curves with register readings at both ends of the day
tests: touched points
touched_by: [met_interval_96, met_register_freeze]
reads:
  - int_curves_latest
  - int_metering_points_current
  - int_zero_coded_slots
  - stg_metering__curves
  - stg_metering__meters
  - stg_metering__register_freezes
parameters: [resolutions, decimals, relative, smallest_share, window_days, MET-02.slots, MET-06.rollover_below_share, MET-06.rollover_from_share]
*/
-- tested
with limits as materialized (
    select
        :resolutions as resolutions,
        :decimals::integer as decimals,
        :relative as relative,
        :smallest_share as smallest_share,
        :window_days::integer as window_days,
        :slots::integer as slots
),

-- Days of meters whose curve or whose register at either end is tested tonight.
changed as materialized (
    select curves.reading_date, points.meter_asset_no
    from {{ touched_curves('staging.stg_metering__curves') }} as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    where curves.quantity_code = 'E+' and curves.phase_code = 'T'
    union
    select registers.reading_date + shifts.days, registers.meter_asset_no
    from staging.stg_metering__register_freezes as registers
    cross join (values (0), (1)) as shifts (days)
    where
        registers._load_id > quality.last_passed_load_id()
        and {{ is_total_register('registers', 'DAY') }}
),

-- These days, and those before them that a comparison may need.
dates as materialized (
    select distinct changed.reading_date - shifts.days as reading_date
    from changed
    cross join limits
    cross join lateral generate_series(0, limits.window_days + 1) as shifts (days)
),

meters as (
    select
        meters.meter_asset_no,
        max(meters.digits_int)::integer as digits_int,
        10::numeric ^ (-coalesce(max(meters.digits_dec), max(limits.decimals))::integer) as last_digit_kwh
    from staging.stg_metering__meters as meters
    cross join limits
    group by meters.meter_asset_no
),

-- By their days alone: in the order of meters, all that is stored would be read.
readings as materialized (
    select registers.*
    from staging.stg_metering__register_freezes as registers
    where
        {{ is_total_register('registers', 'DAY') }}
        and registers.reading_date = any (array(select dates.reading_date from dates))
        and (registers.frozen_at at time zone 'Asia/Shanghai')::time = time '00:00'
),

registers as (
    select distinct on (registers.meter_asset_no, registers.reading_date)
        registers.meter_asset_no,
        registers.reading_date,
        registers.register_reading_kwh,
        meters.digits_int,
        meters.last_digit_kwh
    from readings as registers
    inner join meters on registers.meter_asset_no = meters.meter_asset_no
    cross join limits
    where
        registers.register_reading_kwh >= 0
        and registers.register_reading_kwh < 10 ^ meters.digits_int::numeric
    order by registers.meter_asset_no, registers.reading_date, registers.version desc nulls last, registers._raw_id desc
),

opened as (
    select
        registers.*,
        lag(registers.reading_date) over by_day as opening_date,
        lag(registers.register_reading_kwh) over by_day as opening_kwh,
        case when lag(registers.reading_date, 2) over by_day = registers.reading_date - 2 then lag(registers.register_reading_kwh, 2) over by_day end
            as opening_before_kwh
    from registers
    window by_day as (partition by meter_asset_no order by reading_date)
),

-- A reading below the one before it (MET-06) is no reading to compare with, at neither end of the day.
days as materialized (
    select
        opened.meter_asset_no,
        opened.reading_date,
        opened.last_digit_kwh,
        {{ register_difference('opened.opening_kwh', 'opened.register_reading_kwh', 'opened.digits_int') }} as register_kwh
    from opened
    where
        opened.opening_date = opened.reading_date - 1
        and coalesce({{ register_difference('opened.opening_before_kwh', 'opened.opening_kwh', 'opened.digits_int') }} >= 0, true)
),

-- Slots coded as zero because they were missing (MET-32) make a curve incomplete.
whole as not materialized (
    select
        curves._raw_id,
        curves.metering_point_no,
        curves.reading_date,
        points.account_no,
        points.meter_asset_no,
        points.multiplier,
        quality.slot_sum(curves.values_by_slot) * case when curves.is_primary then 1 else points.multiplier end as curve_kwh,
        days.register_kwh * points.multiplier as register_kwh,
        limits.resolutions * days.last_digit_kwh * points.multiplier as last_digit_kwh
    from staging.int_curves_latest as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    inner join days on points.meter_asset_no = days.meter_asset_no and curves.reading_date = days.reading_date
    cross join limits
    where
        curves.reading_date = any (array(select dates.reading_date from dates))
        and curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
        and curves.collected_slots = limits.slots
        and (curves.metering_point_no, curves.reading_date) not in (
            select zero_coded.metering_point_no, zero_coded.reading_date
            from staging.int_zero_coded_slots as zero_coded
        )
        and days.register_kwh >= 0
),

compared as (
    select
        whole.*,
        limits.smallest_share * whole.register_kwh <= whole.last_digit_kwh as is_small
    from whole
    inner join changed on whole.meter_asset_no = changed.meter_asset_no and whole.reading_date = changed.reading_date
    cross join limits
),

-- Readings of a run of days cancel out but for the first and the last, so that the last digit counts once.
added as (
    select
        numbered._raw_id,
        count(*) as days,
        sum(numbered.curve_kwh) as curve_kwh,
        sum(numbered.register_kwh) as register_kwh
    from (
        select
            compared._raw_id,
            compared.reading_date as last_date,
            whole.reading_date,
            whole.curve_kwh,
            whole.register_kwh,
            row_number() over (partition by compared._raw_id order by whole.reading_date desc) as day_no
        from compared
        cross join limits
        inner join whole
            on
                compared.metering_point_no = whole.metering_point_no
                and whole.reading_date <= compared.reading_date
                and whole.reading_date > compared.reading_date - limits.window_days
        where compared.is_small
    ) as numbered
    where numbered.reading_date = numbered.last_date - numbered.day_no::integer + 1
    group by numbered._raw_id
)

select
    {{ row_of('compared') }},
    compared.reading_date,
    coalesce(added.days, 1) as days,
    coalesce(added.curve_kwh, compared.curve_kwh) as curve_kwh,
    coalesce(added.register_kwh, compared.register_kwh) as register_kwh,
    greatest(
        compared.last_digit_kwh, limits.relative * coalesce(added.register_kwh, compared.register_kwh)
    ) as tolerance_kwh
from compared
cross join limits
left join added
    -- a day that is off by itself is told by itself
    on compared._raw_id = added._raw_id and abs(compared.curve_kwh - compared.register_kwh) <= compared.last_digit_kwh
where compared.curve_kwh is not null
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(curve_kwh, 2) || ' kWh' || case when days > 1 then ' in ' || days || ' days' else '' end as observed,
    round(register_kwh, 2) || ' kWh within ' || round(tolerance_kwh, 2) as expected,
    abs(curve_kwh - register_kwh) as energy_at_stake_kwh
from tested
where abs(curve_kwh - register_kwh) > tolerance_kwh
