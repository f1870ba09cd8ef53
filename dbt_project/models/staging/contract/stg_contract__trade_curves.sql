with source as (
    {{ newest_landed('contract', 'con_trade_curve') }}
),

renamed as (
    select
        -- ids
        trim(agree_no) as agreement_no,

        -- numerics
        slot,
        slot_cnt as slot_count,
        mwh,

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
