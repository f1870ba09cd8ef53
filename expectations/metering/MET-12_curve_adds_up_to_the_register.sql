/*
sentence: The slots of a day add up to the difference of the register, within {multiplier_factor:times} the multiplier or {relative}, whichever is more.
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
parameters: [multiplier_factor, relative, MET-02.slots, MET-06.rollover_below_share, MET-06.rollover_from_share]
*/
-- tested
with limits as materialized (
    select
        quality.parameter('MET-12', 'multiplier_factor', :business_date) as multiplier_factor,
        quality.parameter('MET-12', 'relative', :business_date) as relative,
        quality.parameter('MET-02', 'slots', :business_date)::integer as slots
),

-- Days of meters whose curve or whose register at either end is tested tonight.
changed as materialized (
    select curves.reading_date, points.meter_asset_no
    from staging.stg_metering__curves as curves
    inner join quality.touched_curves as touched on touched.table_name = 'met_interval_96' and touched.raw_id = curves._raw_id
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    where curves.quantity_code = 'E+' and curves.phase_code = 'T'
    union
    select registers.reading_date + shifts.days, registers.meter_asset_no
    from staging.stg_metering__register_freezes as registers
    cross join (values (0), (1)) as shifts (days)
    where
        registers._load_id > (select current_run.last_passed_load_id from quality.current_run as current_run)
        and {{ is_total_register('registers', 'DAY') }}
),

registers as (
    select distinct on (registers.meter_asset_no, registers.reading_date)
        registers.meter_asset_no,
        registers.reading_date,
        registers.register_reading_kwh,
        meters.digits_int::integer as digits_int
    from staging.stg_metering__register_freezes as registers
    inner join {{ one_each('staging.stg_metering__meters', 'meter_asset_no', 'digits_int', 'max') }} as meters
        on registers.meter_asset_no = meters.meter_asset_no
    where
        {{ is_total_register('registers', 'DAY') }}
        and (registers.frozen_at at time zone 'Asia/Shanghai')::time = time '00:00'
        and registers.reading_date >= (select min(changed.reading_date) - 2 from changed)
        and registers.register_reading_kwh >= 0
        and registers.register_reading_kwh < 10 ^ meters.digits_int::numeric
    order by registers.meter_asset_no, registers.reading_date, registers.version desc nulls last, registers._raw_id desc
),

opened as (
    select
        registers.*,
        lag(registers.reading_date) over by_day as opening_date,
        lag(registers.register_reading_kwh) over by_day as opening_kwh,
        lag(registers.register_reading_kwh, 2) over by_day as opening_before_kwh
    from registers
    window by_day as (partition by meter_asset_no order by reading_date)
),

-- A reading below the one before it (MET-06) is no reading to compare with, at neither end of the day.
days as materialized (
    select
        opened.meter_asset_no,
        opened.reading_date,
        {{ register_difference('opened.opening_kwh', 'opened.register_reading_kwh', 'opened.digits_int') }} as register_kwh
    from opened
    where
        opened.opening_date = opened.reading_date - 1
        and coalesce({{ register_difference('opened.opening_before_kwh', 'opened.opening_kwh', 'opened.digits_int') }} >= 0, true)
),

compared as (
    select
        curves._raw_id as raw_id,
        curves.reading_date,
        points.account_no,
        case when curves.is_primary then quality.slot_sum(curves.values_by_slot)
            else quality.slot_sum(curves.values_by_slot) * points.multiplier
        end as curve_kwh,
        days.register_kwh * points.multiplier as register_kwh,
        greatest(
            limits.multiplier_factor * points.multiplier, limits.relative * days.register_kwh * points.multiplier
        ) as tolerance_kwh
    from staging.int_curves_latest as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    inner join changed
        on points.meter_asset_no = changed.meter_asset_no and curves.reading_date = changed.reading_date
    inner join days on points.meter_asset_no = days.meter_asset_no and curves.reading_date = days.reading_date
    cross join limits
    where
        curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
        and curves.collected_slots = limits.slots
        -- Slots coded as zero because they were missing (MET-32) make a curve incomplete.
        and (curves.metering_point_no, curves.reading_date) not in (
            select zero_coded.metering_point_no, zero_coded.reading_date
            from staging.int_zero_coded_slots as zero_coded
        )
        and days.register_kwh >= 0
)

select * from compared
where curve_kwh is not null
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(curve_kwh, 2) || ' kWh' as observed,
    round(register_kwh, 2) || ' kWh within ' || round(tolerance_kwh, 2) as expected,
    abs(curve_kwh - register_kwh) as energy_at_stake_kwh
from tested
where abs(curve_kwh - register_kwh) > tolerance_kwh
