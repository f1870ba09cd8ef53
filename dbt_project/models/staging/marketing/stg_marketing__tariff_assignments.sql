with source as (
    {{ newest_landed('marketing', 'mkt_tariff_assign') }}
),

renamed as (
    select
        -- ids
        trim(cons_no) as account_no,
        trim(mp_no) as metering_point_no,

        -- codes and texts
        tariff_code,
        basic_mode as basic_mode_code,
        pf_standard as power_factor_standard_code,

        -- booleans
        is_tou,

        -- numerics
        contract_md_kw as contract_demand_kw,

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
