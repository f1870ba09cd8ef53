with meters as (
    select * from {{ ref('stg_metering__meters') }}
),

final as (
    select distinct on (meter_asset_no)
        meter_asset_no,
        meter_type_code,
        accuracy_active_code,
        status_code,
        rated_voltage_v,
        rated_current_a,
        digits_int,
        digits_dec,
        manufactured_date,
        verified_date,
        verification_due_date
    from meters
    order by meter_asset_no, _raw_id desc
)

select * from final
