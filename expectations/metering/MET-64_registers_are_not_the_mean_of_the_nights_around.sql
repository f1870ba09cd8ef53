/*
sentence: The registers of a night are not all the mean of the nights around it, against what the curves of its days say.
axis: arbitrary
dimension: plausibility
severity: warn
owner: metering office
reason: A night that never came was filled in; the energy of both days is wrong, by opposite amounts.
source: project rule; each night alone, no test of chance, since curves contradict it
subject: met_register_freeze
not_tested: No meter has registers of three nights in a row beside its curves.
population: registers of nights between two others, with the energy curves of both days
tests: touched points
reads: [int_curves_latest, int_metering_points_current, stg_metering__register_freezes]
parameters: [apart_digits, least_rates, mean_digits]
*/
-- tested
with limits as materialized (
    select
        :mean_digits as mean_digits,
        :apart_digits as apart_digits,
        :least_rates as least_rates
),

changed as materialized (
    select min(registers.reading_date) - 1 as first_date
    from staging.stg_metering__register_freezes as registers
    where registers._load_id > quality.last_passed_load_id()
),

registers as materialized (
    select distinct on ({{ register_of('registers') }}, registers.reading_date)
        registers._raw_id,
        {{ register_of('registers') }},
        registers.reading_date,
        registers.register_reading_kwh
    from staging.stg_metering__register_freezes as registers
    where
        registers.freeze_kind_code = 'DAY'
        and registers.energy_kind_code = 'ACTIVE'
        and registers.direction_code = 'FWD'
        and registers.reading_date >= (select changed.first_date - 1 from changed)
    order by {{ register_of('registers') }}, registers.reading_date, registers.version desc nulls last, registers._raw_id desc
),

nights as (
    select
        registers.*,
        lag(registers.register_reading_kwh) over by_night as before_kwh,
        lead(registers.register_reading_kwh) over by_night as after_kwh,
        lag(registers.reading_date) over by_night as before_date,
        lead(registers.reading_date) over by_night as after_date
    from registers
    window by_night as (partition by {{ register_of('registers') }} order by registers.reading_date)
),

-- Registers that moved on both days, and how far each is from the middle, in its last digit.
middles as materialized (
    select
        nights.*,
        abs(2 * nights.register_reading_kwh - nights.before_kwh - nights.after_kwh) <= 2 * limits.mean_digits * digits.last_digit as is_mean,
        digits.last_digit
    from nights
    cross join limits
    cross join lateral (
        select 10::numeric ^ (-greatest(scale(trim_scale(nights.before_kwh)), scale(trim_scale(nights.after_kwh)))) as last_digit
    ) as digits
    where
        nights.before_date = nights.reading_date - 1
        and nights.after_date = nights.reading_date + 1
        and nights.after_kwh > nights.before_kwh
),

points as (
    select meter_asset_no, min(metering_point_no) as metering_point_no, min(account_no) as account_no, min(multiplier) as multiplier
    from staging.int_metering_points_current
    group by meter_asset_no
),

-- What the curves of a day and of the next say, in the register's own kWh.
curves as materialized (
    select
        told.*,
        lead(told.energy_kwh) over by_day as next_kwh,
        lead(told.reading_date) over by_day as next_date
    from (
        select
            points.meter_asset_no,
            points.account_no,
            curves.reading_date,
            quality.slot_sum(curves.values_by_slot) / case when curves.is_primary then points.multiplier else 1 end as energy_kwh
        from staging.int_curves_latest as curves
        inner join points on curves.metering_point_no = points.metering_point_no
        where
            curves.quantity_code = 'E+'
            and curves.phase_code = 'T'
            and curves.reading_date >= (select changed.first_date from changed)
            and points.multiplier > 0
    ) as told
    window by_day as (partition by told.meter_asset_no order by told.reading_date)
),

-- How far they lie from the register, on the day that the night ends and on the next.
compared as materialized (
    select
        totals.meter_asset_no,
        totals.reading_date,
        curves.account_no,
        totals.last_digit,
        curves.energy_kwh - (totals.register_reading_kwh - totals.before_kwh) as today_kwh,
        curves.next_kwh - (totals.after_kwh - totals.register_reading_kwh) as tomorrow_kwh
    from middles as totals
    inner join curves on totals.meter_asset_no = curves.meter_asset_no and totals.reading_date = curves.reading_date
    where curves.next_date = curves.reading_date + 1 and {{ is_total_register('totals', 'DAY') }}
),

filled_in as (
    select middles.meter_asset_no, middles.reading_date
    from middles
    cross join limits
    group by middles.meter_asset_no, middles.reading_date, limits.least_rates
    having bool_and(middles.is_mean) and count(*) >= limits.least_rates
)

select
    middles._raw_id as raw_id,
    compared.account_no,
    middles.reading_date,
    middles.register_reading_kwh,
    middles.before_kwh,
    middles.after_kwh,
    filled_in.meter_asset_no is not null
    and abs(compared.today_kwh) >= limits.apart_digits * compared.last_digit
    and abs(compared.today_kwh + compared.tomorrow_kwh) < abs(compared.today_kwh) as is_filled_in
from middles
inner join compared on middles.meter_asset_no = compared.meter_asset_no and middles.reading_date = compared.reading_date
cross join limits
left join filled_in on middles.meter_asset_no = filled_in.meter_asset_no and middles.reading_date = filled_in.reading_date
-- violations
select
    {{ finding('reading', day='reading_date') }},
    register_reading_kwh || ', as all registers of the night between ' || before_kwh || ' and ' || after_kwh as observed,
    'a reading of its own night' as expected
from tested
where is_filled_in
