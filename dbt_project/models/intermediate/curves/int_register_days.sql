{{ config(tags=['as_delivered'], indexes=[{'columns': ['metering_point_no', 'reading_date']}]) }}
{%- set day = business_date() -%}
{%- set rates = ['SHARP', 'PEAK', 'FLAT', 'VALLEY', 'DEEP'] %}

-- Energy of a day by the daily freezes at midnight, in all and by rate. Secondary: that is what the register shows.
with registers as (
    select * from {{ ref('stg_metering__register_freezes') }}
    where freeze_kind_code = 'DAY' and energy_kind_code = 'ACTIVE' and direction_code = 'FWD'
),

points as (
    select * from {{ ref('int_points_scaled') }}
),

dates as (
    select distinct reading_date from {{ ref('int_point_days_touched') }}
),

limits as materialized (
    select
        {{ rule_parameter('MET-06', 'rollover_from_share', day) }} as from_share,
        {{ rule_parameter('MET-06', 'rollover_below_share', day) }} as below_share
),

readings as (
    select distinct on (meter_asset_no, rate_code, reading_date)
        meter_asset_no,
        rate_code,
        reading_date,
        register_reading_kwh
    from registers
    where
        (frozen_at at time zone 'Asia/Shanghai')::time = time '00:00'
        and reading_date >= (select min(dates.reading_date) - 1 from dates)
    order by meter_asset_no, rate_code, reading_date, version desc nulls last, _raw_id desc
),

opened as (
    select
        readings.*,
        case when lag(reading_date) over by_day = reading_date - 1 then lag(register_reading_kwh) over by_day end as opening_kwh
    from readings
    window by_day as (partition by meter_asset_no, rate_code order by reading_date)
),

differences as (
    select
        opened.reading_date,
        opened.rate_code,
        points.metering_point_no,
        points.resolution_kwh,
        quality.register_difference(
            opened.opening_kwh, opened.register_reading_kwh, points.digits_int, limits.from_share, limits.below_share
        ) as energy_kwh
    from opened
    cross join limits
    inner join points on opened.meter_asset_no = points.meter_asset_no
    where opened.reading_date in (select dates.reading_date from dates)
),

final as (
    select
        metering_point_no,
        reading_date,
        (max(energy_kwh) filter (where rate_code = 'T'))::double precision as total_kwh,
        {%- for rate in rates %}
        (max(energy_kwh) filter (where rate_code = '{{ rate }}'))::double precision as {{ rate | lower }}_kwh,
        {%- endfor %}
        -- One that runs backwards, or that another one was read for, tells nothing of the curve.
        coalesce(
            bool_and(energy_kwh >= 0)
            and abs(sum(energy_kwh * case when rate_code = 'T' then 1 else -1 end)) <= count(*) * max(resolution_kwh)
            and bool_or(rate_code = 'T')
            and bool_or(rate_code <> 'T'),
            false
        ) as are_rates_whole
    from differences
    group by metering_point_no, reading_date
)

select * from final
