/*
sentence: The energy of a day falls into the rates as their registers counted it, within {resolutions:words} last digits of a register or {relative} of the day.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Curves and registers of a meter have one clock; where energy lies in other rates, the curves of the day carry the time of another one.
source: project rule; a day whose sum is wrong is MET-12, a curve that is none with the power of its day MET-51
subject: met_interval_96
not_tested: No complete curve has the readings of all rates of its day.
population: energy and power curves, one with each other, of days with the readings of all rates at both ends
tests: touched points
touched_by: [met_interval_96, met_register_freeze]
reads:
  - int_curve_days
  - int_curve_days_explained
  - int_metering_points_current
  - int_zero_coded_slots
  - stg_metering__curves
  - stg_metering__register_freezes
parameters: [relative, resolutions, MET-02.slots, MET-12.relative]
*/
-- tested
with changed as (
    select landed.metering_point_no, landed.reading_date
    from {{ days_touched(['E+', 'P']) }} as landed
    union
    select metering_point_no, reading_date
    from {{ days_of_registers_touched() }} as landed
)

select
    curves.raw_id,
    days.account_no,
    days.reading_date,
    days.widest_rate_code,
    days.widest_energy_kwh::numeric as energy_kwh,
    days.widest_register_kwh::numeric as register_kwh,
    days.energy_rate_gap_kwh::numeric * days.multiplier as gap_kwh,
    greatest(
        quality.parameter('MET-50', 'resolutions', :business_date) * days.resolution_kwh,
        quality.parameter('MET-50', 'relative', :business_date) * days.register_kwh::numeric
    ) as tolerance_kwh,
    days.energy_rate_gap_kwh,
    explained.clock_lag_slots
from staging.int_curve_days as days
left join staging.int_curve_days_explained as explained
    on days.metering_point_no = explained.metering_point_no and days.reading_date = explained.reading_date
cross join lateral (
    values
    (days.energy_raw_id),
    (days.power_raw_id)
) as curves (raw_id)
where
    (days.metering_point_no, days.reading_date) in (select changed.metering_point_no, changed.reading_date from changed)
    and curves.raw_id is not null
    and days.energy_rate_gap_kwh is not null
    and days.deviating_slots = 0
    and days.energy_slots = quality.parameter('MET-02', 'slots', :business_date)
    and abs(days.energy_kwh - days.register_kwh) <= greatest(
        days.resolution_kwh, quality.parameter('MET-12', 'relative', :business_date) * days.register_kwh::numeric
    )
    and (days.metering_point_no, days.reading_date) not in (
        select zero_coded.metering_point_no, zero_coded.reading_date
        from staging.int_zero_coded_slots as zero_coded
    )
-- violations
select
    {{ finding('v1', day='reading_date') }},
    widest_rate_code || ' ' || round(energy_kwh, 2) || ' kWh secondary' as observed,
    round(register_kwh, 2) || ' by its register' || coalesce(
        case
            when clock_lag_slots > 0 then '; as if the curve came ' || clock_lag_slots || ' slots late'
            else '; as if the curve came ' || -clock_lag_slots || ' slots early'
        end, ''
    ) as expected,
    round(gap_kwh, 4) as exposure_kwh,
    0 as energy_at_stake_kwh
from tested
where energy_rate_gap_kwh > tolerance_kwh
