{{ config(
    indexes=[
        {'columns': ['metering_point_no', 'reading_date']},
        {'columns': ['meter_asset_no', 'reading_date']},
        {'columns': ['reading_date']}
    ],
    meta={'touched_by': {'unit': 'meter_asset_no', 'day': 'reading_date'}}
) }}

with freezes as (
    select * from {{ touched(ref('stg_metering__register_freezes')) }}
    where freeze_kind_code = 'DAY'
    {%- if build_mode() == 'touched' %}
    union
    -- and what each of these registers told before
    select earlier.*
    from (
        select distinct meter_asset_no, energy_kind_code, direction_code, rate_code, reading_date
        from {{ touched(ref('stg_metering__register_freezes')) }}
        where freeze_kind_code = 'DAY'
    ) as told
    cross join lateral (
        select *
        from {{ ref('stg_metering__register_freezes') }} as freezes
        where
            freezes.freeze_kind_code = 'DAY'
            and freezes.meter_asset_no = told.meter_asset_no
            and freezes.energy_kind_code is not distinct from told.energy_kind_code
            and freezes.direction_code is not distinct from told.direction_code
            and freezes.rate_code is not distinct from told.rate_code
            and freezes.reading_date < told.reading_date
        order by freezes.reading_date desc, freezes.version desc nulls last, freezes.received_at desc nulls last, freezes._raw_id desc
        limit 1
    ) as earlier
    {%- endif %}
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

counted as (
    select
        followed.*,
        metering_points.metering_point_no,
        metering_points.account_no,
        (
            {{ register_difference(
                'followed.previous_reading_kwh', 'followed.register_reading_kwh', 'meters.digits_int::integer',
                on='followed.reading_date'
            ) }} * metering_points.multiplier
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
    where {{ is_touched('meter_asset_no', 'reading_date') }}
)

select * from final
