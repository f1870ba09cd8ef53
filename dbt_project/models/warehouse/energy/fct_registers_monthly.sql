{%- set rates = ['sharp', 'peak', 'flat', 'valley', 'deep'] -%}
with freezes as (
    select * from {{ ref('stg_metering__register_freezes') }}
    where direction_code = 'FWD'
),

installations as (
    select * from {{ ref('stg_marketing__meter_installations') }}
),

meters as (
    select * from {{ ref('dim_meters') }}
),

month_pieces as (
    select * from {{ ref('int_meter_months') }}
),

month_freezes as (
    select distinct on (meter_asset_no, energy_kind_code, rate_code, reading_date)
        meter_asset_no,
        energy_kind_code,
        rate_code,
        reading_date,
        reading_date + 1 as read_at_date,
        register_reading_kwh,
        max_demand_kw,
        max_demand_at
    from freezes
    where freeze_kind_code = 'MONTH'
    order by
        meter_asset_no,
        energy_kind_code,
        rate_code,
        reading_date,
        version desc nulls last,
        received_at desc nulls last,
        _raw_id desc
),

cuts as (
    select meter_asset_no, from_date as read_at_date
    from month_pieces
    where from_date <> month_start_date
    union
    select meter_asset_no, to_date as read_at_date
    from month_pieces
    where extract(day from to_date) <> 1
),

-- What a register showed at the first moment of a day: the monthly freeze, else the record of the installation, else the daily freeze.
told as (
    select meter_asset_no, energy_kind_code, rate_code, read_at_date, register_reading_kwh, 1 as precedence, 0 as tie
    from month_freezes
    {%- for end, day in [('install', 'install_date'), ('remove', 'remove_date')] %}
    {%- for rate in ['total'] + rates %}
    union all
    select
        meter_asset_no,
        'ACTIVE',
        '{{ 'T' if rate == 'total' else rate | upper }}',
        {{ day }},
        {{ end }}_reading_{{ rate }}_kwh,
        2,
        _raw_id
    from installations
    {%- endfor %}
    {%- endfor %}
    union all
    select
        freezes.meter_asset_no,
        freezes.energy_kind_code,
        freezes.rate_code,
        cuts.read_at_date,
        freezes.register_reading_kwh,
        3,
        freezes._raw_id
    from cuts
    inner join freezes on cuts.meter_asset_no = freezes.meter_asset_no and cuts.read_at_date = freezes.reading_date + 1
    where freezes.freeze_kind_code = 'DAY'
),

readings as (
    select distinct on (meter_asset_no, energy_kind_code, rate_code, read_at_date) *
    from told
    where register_reading_kwh is not null and read_at_date is not null
    order by meter_asset_no, energy_kind_code, rate_code, read_at_date, precedence, tie desc
),

registers as (
    select distinct meter_asset_no, energy_kind_code, rate_code
    from readings
),

-- Last minus first of each piece; without one of the two it is not known.
measured as (
    select
        month_pieces.*,
        registers.energy_kind_code,
        registers.rate_code,
        last_readings.register_reading_kwh,
        (
            {{ register_difference(
                'first_readings.register_reading_kwh', 'last_readings.register_reading_kwh', 'meters.digits_int::integer',
                on='month_pieces.from_date'
            ) }} * month_pieces.multiplier
        )::numeric(20, 4) as energy_kwh
    from month_pieces
    inner join registers on month_pieces.meter_asset_no = registers.meter_asset_no
    left join meters on month_pieces.meter_asset_no = meters.meter_asset_no
    left join readings as first_readings
        on
            registers.meter_asset_no = first_readings.meter_asset_no
            and registers.energy_kind_code = first_readings.energy_kind_code
            and registers.rate_code = first_readings.rate_code
            and month_pieces.from_date = first_readings.read_at_date
    left join readings as last_readings
        on
            registers.meter_asset_no = last_readings.meter_asset_no
            and registers.energy_kind_code = last_readings.energy_kind_code
            and registers.rate_code = last_readings.rate_code
            and month_pieces.to_date = last_readings.read_at_date
),

demands as (
    select distinct on (month_pieces.metering_point_no, month_pieces.meter_asset_no, month_freezes.energy_kind_code, month_pieces.from_date)
        month_pieces.metering_point_no,
        month_pieces.meter_asset_no,
        month_freezes.energy_kind_code,
        month_pieces.from_date,
        (month_freezes.max_demand_kw * month_pieces.multiplier)::numeric(18, 4) as max_demand_kw,
        month_freezes.max_demand_at
    from month_pieces
    inner join month_freezes
        on
            month_pieces.meter_asset_no = month_freezes.meter_asset_no
            and month_pieces.from_date < month_freezes.read_at_date
            and month_freezes.read_at_date <= month_pieces.to_date
    where month_freezes.rate_code = 'T'
    order by
        month_pieces.metering_point_no, month_pieces.meter_asset_no, month_freezes.energy_kind_code, month_pieces.from_date,
        month_freezes.read_at_date desc
),

by_rate as (
    select
        metering_point_no,
        meter_asset_no,
        energy_kind_code,
        from_date,
        month_start_date,
        {%- for rate in rates %}
        sum(energy_kwh) filter (where rate_code = '{{ rate | upper }}') as {{ rate }}_kwh{{ ',' if not loop.last }}
        {%- endfor %}
    from measured
    group by metering_point_no, meter_asset_no, energy_kind_code, from_date, month_start_date
),

final as (
    select
        measured.metering_point_no,
        measured.meter_asset_no,
        measured.energy_kind_code,
        measured.from_date,
        measured.to_date,
        measured.month_start_date,
        measured.account_no,
        measured.is_counted_in_account,
        measured.multiplier,
        measured.register_reading_kwh,
        measured.energy_kwh,
        {%- for rate in rates %}
        by_rate.{{ rate }}_kwh::numeric(20, 4) as {{ rate }}_kwh,
        {%- endfor %}
        demands.max_demand_kw,
        demands.max_demand_at
    from measured
    inner join by_rate
        on
            measured.metering_point_no = by_rate.metering_point_no
            and measured.meter_asset_no = by_rate.meter_asset_no
            and measured.energy_kind_code = by_rate.energy_kind_code
            and measured.from_date = by_rate.from_date
    left join demands
        on
            measured.metering_point_no = demands.metering_point_no
            and measured.meter_asset_no = demands.meter_asset_no
            and measured.energy_kind_code = demands.energy_kind_code
            and measured.from_date = demands.from_date
    where measured.rate_code = 'T'
)

select * from final
