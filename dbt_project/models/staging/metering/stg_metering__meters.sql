with source as (
    {{ newest_landed('metering', 'met_meter') }}
),

renamed as (
    select
        -- ids
        trim(meter_asset_no) as meter_asset_no,

        -- codes and texts
        meter_type as meter_type_code,
        accuracy_active as accuracy_active_code,
        rated_voltage_v,
        rated_current_a,
        maker,
        model,
        status as status_code,

        -- numerics
        const_imp_kwh,
        digits_int,
        digits_dec,

        -- dates
        manufactured_on as manufactured_date,
        verified_on as verified_date,
        verify_due as verification_due_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
