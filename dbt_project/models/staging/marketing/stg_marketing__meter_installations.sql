with source as (
    {{ newest_landed('marketing', 'mkt_meter_install') }}
),

renamed as (
    select
        -- ids
        trim(mp_no) as metering_point_no,
        trim(meter_asset_no) as meter_asset_no,
        trim(cons_no) as account_no,
        trim(work_order_no) as work_order_no,

        -- numerics
        install_reading_total as install_reading_total_kwh,
        install_reading_sharp as install_reading_sharp_kwh,
        install_reading_peak as install_reading_peak_kwh,
        install_reading_flat as install_reading_flat_kwh,
        install_reading_valley as install_reading_valley_kwh,
        install_reading_deep as install_reading_deep_kwh,
        remove_reading_total as remove_reading_total_kwh,
        remove_reading_sharp as remove_reading_sharp_kwh,
        remove_reading_peak as remove_reading_peak_kwh,
        remove_reading_flat as remove_reading_flat_kwh,
        remove_reading_valley as remove_reading_valley_kwh,
        remove_reading_deep as remove_reading_deep_kwh,
        ct_ratio,
        pt_ratio,
        multiplier,

        -- dates
        install_date,
        remove_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
