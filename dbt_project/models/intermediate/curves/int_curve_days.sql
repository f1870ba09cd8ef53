{{ config(tags=['as_delivered']) }}
{%- set day = business_date() -%}
{%- set rates = ['SHARP', 'PEAK', 'FLAT', 'VALLEY', 'DEEP'] -%}
{%- set channels = [('energy', 'E+'), ('back', 'E-'), ('power', 'P')] %}

-- What the curves of energy and power of a day say of each other, and what the registers say of them: both are unfolded here
-- alone. All is secondary, for the ratios of the point cancel out where both sides are read from one meter.
with days as (
    select * from {{ ref('int_point_days_touched') }}
),

latest as (
    select * from {{ ref('int_curves_latest') }}
),

register_days as (
    select * from {{ ref('int_register_days') }}
),

points as (
    select * from {{ ref('int_points_scaled') }}
),

limits as materialized (
    select
        {{ rule_parameter('MET-51', 'resolutions', day) }}::double precision as resolutions,
        {{ rule_parameter('MET-51', 'relative', day) }}::double precision as relative
),

rate_runs as (
    select * from {{ ref('int_rate_runs') }}
),

-- The runs of a day as arrays, rate by rate: its first and its last slots.
rate_days as (
    select
        reading_date,
        array_agg(rate_code order by first_slot) as rate_codes,
        array_agg(first_slot order by first_slot) as first_slots,
        array_agg(last_slot order by first_slot) as last_slots
    from rate_runs
    group by reading_date
),

-- The curves of a day side by side, with the factor by which each becomes secondary.
pivoted as (
    select
        days.metering_point_no,
        days.reading_date,
        {%- for name, quantity in channels %}
        max(latest._raw_id) filter (where latest.quantity_code = '{{ quantity }}' and latest.phase_code = 'T') as {{ name }}_raw_id,
        max(latest.values_by_slot) filter (where latest.quantity_code = '{{ quantity }}' and latest.phase_code = 'T') as {{ name }}_slots,
        (
            max(case when latest.is_primary then 1 / nullif(points.multiplier, 0) else 1 end) filter (
                where latest.quantity_code = '{{ quantity }}' and latest.phase_code = 'T'
            )
        )::double precision as {{ name }}_scale{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    inner join latest on days.metering_point_no = latest.metering_point_no and days.reading_date = latest.reading_date
    inner join points on days.metering_point_no = points.metering_point_no
    where latest.quantity_code in ('E+', 'E-', 'P') and latest.phase_code = 'T'
    group by days.metering_point_no, days.reading_date
),

final as (
    select
        pivoted.metering_point_no,
        pivoted.reading_date,
        points.account_no,
        points.resolution_kwh,
        points.multiplier,
        pivoted.energy_raw_id,
        pivoted.power_raw_id,
        powers.energy_slots,
        powers.power_slots,
        powers.energy_kwh,
        register_days.total_kwh as register_kwh,
        by_rate.energy_rate_gap_kwh,
        by_rate.widest_rate_code,
        by_rate.widest_energy_kwh,
        by_rate.widest_register_kwh,
        powers.deviating_slots,
        powers.first_deviating_slot
    from pivoted
    inner join points on pivoted.metering_point_no = points.metering_point_no
    cross join limits
    left join rate_days on pivoted.reading_date = rate_days.reading_date
    left join register_days
        on pivoted.metering_point_no = register_days.metering_point_no and pivoted.reading_date = register_days.reading_date
    cross join lateral (
        select
            count(slots.energy)::integer as energy_slots,
            count(slots.power)::integer as power_slots,
            sum(slots.energy) * pivoted.energy_scale as energy_kwh,
            count(*) filter (where slots.is_deviating)::integer as deviating_slots,
            min(slots.slot_no) filter (where slots.is_deviating)::integer as first_deviating_slot
        from (
            select
                unfolded.*,
                least(
                    abs(unfolded.power * pivoted.power_scale / 4 - unfolded.energy * pivoted.energy_scale),
                    -- what flows back may be deducted from the power
                    abs(
                        unfolded.power * pivoted.power_scale / 4 - unfolded.energy * pivoted.energy_scale
                        + unfolded.back * pivoted.back_scale
                    )
                ) > greatest(
                    limits.resolutions * points.resolution_kwh::double precision,
                    limits.relative * greatest(unfolded.energy * pivoted.energy_scale, unfolded.power * pivoted.power_scale / 4)
                ) as is_deviating
            from unnest(pivoted.energy_slots, pivoted.power_slots, pivoted.back_slots) with ordinality as unfolded (
                energy, power, back, slot_no
            )
        ) as slots
    ) as powers
    left join lateral (
        select
            max(abs(rates.energy_kwh - rates.register_kwh)) as energy_rate_gap_kwh,
            (array_agg(rates.rate_code order by abs(rates.energy_kwh - rates.register_kwh) desc nulls last, rates.rate_code))[1] as widest_rate_code,
            (array_agg(rates.energy_kwh order by abs(rates.energy_kwh - rates.register_kwh) desc nulls last, rates.rate_code))[1] as widest_energy_kwh,
            (array_agg(rates.register_kwh order by abs(rates.energy_kwh - rates.register_kwh) desc nulls last, rates.rate_code))[1] as widest_register_kwh
        from (
            select
                known.rate_code,
                coalesce(by_slot.energy_kwh, 0) as energy_kwh,
                known.register_kwh
            from (
                values
                {%- for rate in rates %}
                ('{{ rate }}', register_days.{{ rate | lower }}_kwh){{ ',' if not loop.last }}
                {%- endfor %}
            ) as known (rate_code, register_kwh)
            left join (
                select
                    runs.rate_code,
                    sum((
                        select sum(slots.energy)
                        from unnest(pivoted.energy_slots[runs.first_slot:runs.last_slot]) as slots (energy)
                    )) * pivoted.energy_scale as energy_kwh
                from unnest(rate_days.rate_codes, rate_days.first_slots, rate_days.last_slots) as runs (rate_code, first_slot, last_slot)
                group by runs.rate_code
            ) as by_slot on known.rate_code = by_slot.rate_code
        ) as rates
        having bool_and(rates.register_kwh is not null or rates.energy_kwh = 0)
    ) as by_rate on register_days.are_rates_whole
)

select * from final
