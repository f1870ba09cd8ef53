with source as (
    {{ newest_landed('marketing', 'mkt_application') }}
),

renamed as (
    select
        -- ids
        trim(app_no) as application_no,
        trim(cons_no) as account_no,

        -- codes and texts
        app_type as application_type_code,
        voltage_level as voltage_level_code,
        supply_mode as supply_mode_code,
        channel as channel_code,
        access_mode as access_mode_code,
        status as status_code,

        -- numerics
        apply_cap_kva as applied_capacity_kva,

        -- timestamps
        accepted_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
