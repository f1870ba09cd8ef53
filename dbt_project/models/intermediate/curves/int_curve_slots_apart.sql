{{ config(tags=['as_delivered']) }}
{%- set day = business_date() -%}

-- Slots of the days whose curves of energy and power differ, or whose energy by rate is not that of the registers, with what
-- else is known of each slot: volts times amperes, whatever their unit, and the rate.
with curve_days as (
    select * from {{ ref('int_curve_days') }}
),

latest as (
    select * from {{ ref('int_curves_latest') }}
    where quantity_code in ('E+', 'P', 'U', 'I')
),

rate_runs as (
    select * from {{ ref('int_rate_runs') }}
),

limits as materialized (
    select
        {{ rule_parameter('MET-51', 'resolutions', day) }}::double precision as resolutions,
        {{ rule_parameter('MET-51', 'relative', day) }}::double precision as relative,
        {{ rule_parameter('MET-50', 'resolutions', day) }}::double precision as rate_resolutions,
        {{ rule_parameter('MET-50', 'relative', day) }}::double precision as rate_relative
),

differing as (
    select
        curve_days.*,
        greatest(
            limits.rate_resolutions * curve_days.resolution_kwh, limits.rate_relative * curve_days.register_kwh
        ) as rate_tolerance_kwh
    from curve_days
    cross join limits
    where
        curve_days.deviating_slots > 0
        or curve_days.energy_rate_gap_kwh > greatest(
            limits.rate_resolutions * curve_days.resolution_kwh, limits.rate_relative * curve_days.register_kwh
        )
),

curves as (
    select
        latest.metering_point_no,
        latest.reading_date,
        latest.quantity_code,
        latest.phase_code,
        latest.values_by_slot,
        case when latest.is_primary then 1 / nullif(differing.multiplier, 0) else 1 end::double precision as to_secondary
    from latest
    inner join differing
        on latest.metering_point_no = differing.metering_point_no and latest.reading_date = differing.reading_date
),

currents as (
    select
        amperes.metering_point_no,
        amperes.reading_date,
        slots.slot_no,
        sum(slots.ampere * slots.volt) as volt_amperes
    from curves as amperes
    inner join curves as volts
        on
            amperes.metering_point_no = volts.metering_point_no
            and amperes.reading_date = volts.reading_date
            and amperes.phase_code = volts.phase_code
            and volts.quantity_code = 'U'
    cross join lateral unnest(amperes.values_by_slot, volts.values_by_slot) with ordinality as slots (ampere, volt, slot_no)
    where amperes.quantity_code = 'I'
    group by amperes.metering_point_no, amperes.reading_date, slots.slot_no
),

final as (
    select
        energy.metering_point_no,
        energy.reading_date,
        slots.slot_no,
        slots.energy * energy.to_secondary as energy_kwh,
        slots.power * power.to_secondary / 4 as power_kwh,
        currents.volt_amperes,
        rate_runs.rate_code,
        differing.resolution_kwh,
        differing.rate_tolerance_kwh,
        differing.energy_rate_gap_kwh,
        differing.widest_rate_code,
        differing.widest_register_kwh,
        greatest(
            limits.resolutions * differing.resolution_kwh,
            limits.relative * greatest(slots.energy * energy.to_secondary, slots.power * power.to_secondary / 4)
        ) as tolerance_kwh
    from differing
    cross join limits
    inner join curves as energy on {{ is_curve_of('energy', 'differing', 'E+') }}
    left join curves as power on {{ is_curve_of('power', 'differing', 'P') }}
    cross join lateral unnest(energy.values_by_slot, power.values_by_slot) with ordinality as slots (energy, power, slot_no)
    left join currents
        on
            energy.metering_point_no = currents.metering_point_no
            and energy.reading_date = currents.reading_date
            and slots.slot_no = currents.slot_no
    left join rate_runs
        on energy.reading_date = rate_runs.reading_date and slots.slot_no between rate_runs.first_slot and rate_runs.last_slot
)

select * from final
