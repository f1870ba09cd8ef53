with agreements as (
    select * from {{ ref('stg_contract__trade_agreements') }}
),

final as (
    select distinct on (agreement_no)
        agreement_no,
        account_no,
        trade_mode_code,
        counterparty_name,
        valid_from,
        valid_to,
        price_kind_code,
        price_cny_per_mwh,
        annual_mwh,
        deviation_band_pct,
        green_share
    from agreements
    order by agreement_no, _raw_id desc
)

select * from final
