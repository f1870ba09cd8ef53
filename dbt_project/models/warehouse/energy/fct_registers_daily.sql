{{ config(indexes=[{'columns': ['metering_point_no', 'reading_date']}]) }}

with freezes as (
    select * from {{ ref('stg_metering__register_freezes') }}
    where freeze_kind_code = 'DAY'
),

meters as (
    select * from {{ ref('dim_meters') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

newest as (
    select distinct on (meter_asset_no, reading_date, energy_kind_code, direction_code, rate_code)
        meter_asset_no,
        reading_date,
        energy_kind_code,
        direction_code,
        rate_code,
        register_reading_kwh,
        frozen_at
    from freezes
    order by
        meter_asset_no,
        reading_date,
        energy_kind_code,
        direction_code,
        rate_code,
        version desc nulls last,
        received_at desc nulls last,
        _raw_id desc
),

followed as (
    select
        meter_asset_no,
        reading_date,
        energy_kind_code,
        direction_code,
        rate_code,
        register_reading_kwh,
        frozen_at,
        lag(register_reading_kwh) over by_day as previous_reading_kwh,
        lag(reading_date) over by_day as previous_reading_date
    from newest
    window by_day as (
        partition by meter_asset_no, energy_kind_code, direction_code, rate_code
        order by reading_date, frozen_at
    )
),

-- A register that went round its last digit starts from zero again.
counted as (
    select
        followed.*,
        metering_points.metering_point_no,
        metering_points.account_no,
        (
            (
                followed.register_reading_kwh
                - followed.previous_reading_kwh
                + case
                    when followed.register_reading_kwh < followed.previous_reading_kwh
                        then coalesce(meters.register_capacity_kwh, 0)
                    else 0
                end
            ) * metering_points.multiplier
        )::numeric(20, 4) as energy_since_previous
    from followed
    left join meters on followed.meter_asset_no = meters.meter_asset_no
    left join metering_points
        on
            followed.meter_asset_no = metering_points.meter_asset_no
            and {{ is_valid_on('metering_points', 'followed.reading_date') }}
),

-- Only a difference of two freezes one day apart is the energy of that day.
final as (
    select
        meter_asset_no,
        reading_date,
        energy_kind_code,
        direction_code,
        rate_code,
        metering_point_no,
        account_no,
        register_reading_kwh,
        case when previous_reading_date = reading_date - 1 then previous_reading_kwh end as previous_reading_kwh,
        case when previous_reading_date = reading_date - 1 then energy_since_previous end::numeric(20, 4) as energy_kwh,
        previous_reading_date + 1 as energy_from_date,
        energy_since_previous
    from counted
)

select * from final
