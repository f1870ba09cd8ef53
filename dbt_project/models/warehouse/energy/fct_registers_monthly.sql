with freezes as (
    select * from {{ ref('stg_metering__register_freezes') }}
    where freeze_kind_code = 'MONTH' and direction_code = 'FWD'
),

meters as (
    select * from {{ ref('dim_meters') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

newest as (
    select distinct on (meter_asset_no, energy_kind_code, rate_code, reading_date)
        meter_asset_no,
        energy_kind_code,
        rate_code,
        reading_date,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        register_reading_kwh,
        max_demand_kw,
        max_demand_at
    from freezes
    order by
        meter_asset_no,
        energy_kind_code,
        rate_code,
        reading_date,
        version desc nulls last,
        received_at desc nulls last,
        _raw_id desc
),

followed as (
    select
        meter_asset_no,
        energy_kind_code,
        rate_code,
        reading_date,
        month_start_date,
        register_reading_kwh,
        max_demand_kw,
        max_demand_at,
        lag(register_reading_kwh) over by_month as previous_reading_kwh,
        lag(month_start_date) over by_month as previous_month_start_date
    from newest
    window by_month as (partition by meter_asset_no, energy_kind_code, rate_code order by reading_date)
),

-- Only a difference of two freezes one month apart is the energy of that month.
measured as (
    select distinct on (followed.meter_asset_no, followed.energy_kind_code, followed.rate_code, followed.month_start_date)
        followed.meter_asset_no,
        followed.energy_kind_code,
        followed.rate_code,
        followed.month_start_date,
        metering_points.metering_point_no,
        metering_points.account_no,
        coalesce(metering_points.is_counted_in_account, false) as is_counted_in_account,
        followed.register_reading_kwh,
        case
            when followed.previous_month_start_date = (followed.month_start_date - interval '1 month')::date
                then (
                    (
                        followed.register_reading_kwh
                        - followed.previous_reading_kwh
                        + case
                            when followed.register_reading_kwh < followed.previous_reading_kwh
                                then coalesce(meters.register_capacity_kwh, 0)
                            else 0
                        end
                    ) * metering_points.multiplier
                )
        end::numeric(20, 4) as energy_kwh,
        (followed.max_demand_kw * metering_points.multiplier)::numeric(18, 4) as max_demand_kw,
        followed.max_demand_at
    from followed
    left join meters on followed.meter_asset_no = meters.meter_asset_no
    left join metering_points
        on
            followed.meter_asset_no = metering_points.meter_asset_no
            and {{ is_valid_on('metering_points', 'followed.reading_date') }}
    order by
        followed.meter_asset_no,
        followed.energy_kind_code,
        followed.rate_code,
        followed.month_start_date,
        followed.reading_date desc,
        metering_points.metering_point_no
),

rates as (
    select
        meter_asset_no,
        energy_kind_code,
        month_start_date,
        {%- for rate in ['sharp', 'peak', 'flat', 'valley', 'deep'] %}
        sum(energy_kwh) filter (where rate_code = '{{ rate | upper }}') as {{ rate }}_kwh{{ ',' if not loop.last }}
        {%- endfor %}
    from measured
    group by meter_asset_no, energy_kind_code, month_start_date
),

final as (
    select
        measured.meter_asset_no,
        measured.energy_kind_code,
        measured.month_start_date,
        measured.metering_point_no,
        measured.account_no,
        measured.is_counted_in_account,
        measured.register_reading_kwh,
        measured.energy_kwh,
        rates.sharp_kwh::numeric(20, 4) as sharp_kwh,
        rates.peak_kwh::numeric(20, 4) as peak_kwh,
        rates.flat_kwh::numeric(20, 4) as flat_kwh,
        rates.valley_kwh::numeric(20, 4) as valley_kwh,
        rates.deep_kwh::numeric(20, 4) as deep_kwh,
        measured.max_demand_kw,
        measured.max_demand_at
    from measured
    inner join rates
        on
            measured.meter_asset_no = rates.meter_asset_no
            and measured.energy_kind_code = rates.energy_kind_code
            and measured.month_start_date = rates.month_start_date
    where measured.rate_code = 'T'
)

select * from final
