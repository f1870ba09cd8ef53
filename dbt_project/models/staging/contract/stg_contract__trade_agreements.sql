with source as (
    {{ newest_landed('contract', 'con_trade_agreement') }}
),

renamed as (
    select
        -- ids
        trim(agree_no) as agreement_no,
        trim(cons_no) as account_no,

        -- codes and texts
        trade_mode as trade_mode_code,
        counterparty as counterparty_name,
        price_kind as price_kind_code,

        -- numerics
        annual_mwh,
        price_yuan_mwh as price_cny_per_mwh,
        deviation_band_pct,
        green_share,

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
