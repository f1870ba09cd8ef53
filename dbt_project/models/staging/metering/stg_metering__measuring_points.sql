with source as (
    {{ newest_landed('metering', 'met_measuring_point') }}
),

renamed as (
    select
        -- ids
        trim(mp_no) as metering_point_no,
        trim(cons_no) as account_no,
        trim(meter_asset_no) as meter_asset_no,
        trim(terminal_no) as terminal_no,
        trim(parent_mp_no) as parent_metering_point_no,
        trim(feeder_no) as feeder_no,
        trim(tg_no) as transformer_area_no,
        trim(tran_no) as transformer_no,

        -- codes and texts
        comm_addr,
        mp_role as role_code,
        split_method as split_method_code,
        metering_side as metering_side_code,
        wiring as wiring_code,
        read_cycle,

        -- numerics
        ct_ratio,
        pt_ratio,
        multiplier,

        -- timestamps
        install_ts as installed_at,
        remove_ts as removed_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
