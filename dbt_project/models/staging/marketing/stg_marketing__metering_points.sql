with source as (
    {{ newest_landed('marketing', 'mkt_mp') }}
),

renamed as (
    select
        -- ids
        trim(mp_no) as metering_point_no,
        trim(cons_no) as account_no,
        trim(parent_mp_no) as parent_metering_point_no,
        trim(terminal_no) as terminal_no,
        trim(feeder_no) as feeder_no,
        trim(tg_no) as transformer_area_no,
        trim(tran_no) as transformer_no,

        -- codes and texts
        mp_role as role_code,
        split_method as split_method_code,
        metering_side as metering_side_code,
        voltage_level as voltage_level_code,

        -- dates
        valid_from,
        valid_to + 1 as valid_to,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
