with source as (
    {{ newest_landed('contract', 'con_trade_settle') }}
),

renamed as (
    select
        -- ids
        trim(agree_no) as agreement_no,
        version,

        -- numerics
        contract_mwh,
        actual_mwh,
        deviation_mwh,
        settle_yuan as settled_cny,
        penalty_yuan as penalty_cny,

        -- dates
        {{ month_start('trade_month') }} as trade_month,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
