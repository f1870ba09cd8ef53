{{ config(tags=['as_delivered']) }}
{%- set day = business_date() -%}

-- Of a day whose curves are apart, which curve the rest of the day speaks against, and by how many slots a curve comes late
-- where moving it makes all of it one.
with slots as (
    select * from {{ ref('int_curve_slots_apart') }}
),

register_days as (
    select * from {{ ref('int_register_days') }}
),

limits as materialized (
    select
        {{ rule_parameter('MET-51', 'resolutions', day) }}::double precision as resolutions,
        {{ rule_parameter('CURVE', 'lag_slots', day) }}::integer as lag_slots
),

differing as (
    select distinct
        metering_point_no,
        reading_date,
        resolution_kwh,
        rate_tolerance_kwh,
        energy_rate_gap_kwh,
        widest_rate_code,
        widest_register_kwh
    from slots
),

rate_runs as (
    select * from {{ ref('int_rate_runs') }}
),

-- What an ampere-volt stands for where energy and power agree; where they do not it tells which of the two goes on alike.
followed as (
    select
        scaled.metering_point_no,
        scaled.reading_date,
        sum(abs(scaled.energy_kwh - scaled.kwh_of_volt_ampere * scaled.volt_amperes)) as energy_gap,
        sum(abs(scaled.power_kwh - scaled.kwh_of_volt_ampere * scaled.volt_amperes)) as power_gap
    from (
        select
            slots.*,
            sum(slots.power_kwh) filter (where abs(slots.energy_kwh - slots.power_kwh) <= slots.tolerance_kwh) over by_day
            / nullif(
                sum(slots.volt_amperes) filter (where abs(slots.energy_kwh - slots.power_kwh) <= slots.tolerance_kwh) over by_day, 0
            ) as kwh_of_volt_ampere
        from slots
        window by_day as (partition by slots.metering_point_no, slots.reading_date)
    ) as scaled
    group by scaled.metering_point_no, scaled.reading_date
),

shifts as (
    select lags.lag_slots
    from limits
    cross join lateral generate_series(-limits.lag_slots, limits.lag_slots) as lags (lag_slots)
    where lags.lag_slots <> 0
),

-- By how many slots the energy comes after the power of the same time.
lags as (
    select distinct on (moved.metering_point_no, moved.reading_date) moved.*
    from (
        select
            slots.metering_point_no,
            slots.reading_date,
            shifts.lag_slots
        from slots
        cross join shifts
        inner join slots as before
            on
                slots.metering_point_no = before.metering_point_no
                and slots.reading_date = before.reading_date
                and slots.slot_no - shifts.lag_slots = before.slot_no
        group by slots.metering_point_no, slots.reading_date, shifts.lag_slots
        having coalesce(bool_and(abs(slots.energy_kwh - before.power_kwh) <= greatest(slots.tolerance_kwh, before.tolerance_kwh)), false)
    ) as moved
    order by moved.metering_point_no, moved.reading_date, abs(moved.lag_slots), moved.lag_slots
),

-- By how many slots the whole day comes late: read so much earlier, the rate that differed most has what its register has.
clock_lags as (
    select distinct on (moved.metering_point_no, moved.reading_date) moved.*
    from (
        select
            differing.metering_point_no,
            differing.reading_date,
            shifts.lag_slots,
            abs(
                coalesce(sum(slots.energy_kwh) filter (where rate_runs.rate_code = differing.widest_rate_code), 0)
                - differing.widest_register_kwh
            ) as gap_kwh
        from differing
        cross join shifts
        inner join slots
            on differing.metering_point_no = slots.metering_point_no and differing.reading_date = slots.reading_date
        inner join rate_runs
            on
                differing.reading_date = rate_runs.reading_date
                and (slots.slot_no - shifts.lag_slots + 95) % 96 + 1 between rate_runs.first_slot and rate_runs.last_slot
        where differing.energy_rate_gap_kwh > differing.rate_tolerance_kwh
        group by
            differing.metering_point_no, differing.reading_date, shifts.lag_slots, differing.widest_register_kwh,
            differing.rate_tolerance_kwh
        having
            abs(
                coalesce(sum(slots.energy_kwh) filter (where rate_runs.rate_code = differing.widest_rate_code), 0)
                - differing.widest_register_kwh
            ) <= differing.rate_tolerance_kwh
    ) as moved
    order by moved.metering_point_no, moved.reading_date, abs(moved.lag_slots), moved.lag_slots
),

-- How far the power, taken for energy, is from the registers by rate.
powers as (
    select
        rated.metering_point_no,
        rated.reading_date,
        max(abs(rated.power_kwh - rated.register_kwh)) as rate_gap_kwh
    from (
        select
            slots.metering_point_no,
            slots.reading_date,
            sum(slots.power_kwh) as power_kwh,
            max(
                case slots.rate_code
                    {%- for rate in ['SHARP', 'PEAK', 'FLAT', 'VALLEY', 'DEEP'] %}
                    when '{{ rate }}' then registers.{{ rate | lower }}_kwh
                    {%- endfor %}
                end
            ) as register_kwh
        from slots
        inner join register_days as registers
            on slots.metering_point_no = registers.metering_point_no and slots.reading_date = registers.reading_date
        group by slots.metering_point_no, slots.reading_date, slots.rate_code
    ) as rated
    group by rated.metering_point_no, rated.reading_date
),

final as (
    select
        differing.metering_point_no,
        differing.reading_date,
        -- The registers first, where they are clear; then what the apparent power goes with.
        case
            when abs(differing.energy_rate_gap_kwh - powers.rate_gap_kwh) > limits.resolutions * differing.resolution_kwh
                then case when differing.energy_rate_gap_kwh > powers.rate_gap_kwh then 'E+' else 'P' end
            when followed.energy_gap > followed.power_gap then 'E+'
            else 'P'
        end as suspect_quantity,
        lags.lag_slots,
        clock_lags.lag_slots as clock_lag_slots
    from differing
    cross join limits
    left join powers
        on differing.metering_point_no = powers.metering_point_no and differing.reading_date = powers.reading_date
    left join followed
        on differing.metering_point_no = followed.metering_point_no and differing.reading_date = followed.reading_date
    left join lags on differing.metering_point_no = lags.metering_point_no and differing.reading_date = lags.reading_date
    left join clock_lags
        on differing.metering_point_no = clock_lags.metering_point_no and differing.reading_date = clock_lags.reading_date
)

select * from final
