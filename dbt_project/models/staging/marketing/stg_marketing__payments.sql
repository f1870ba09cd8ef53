with source as (
    {{ newest_landed('marketing', 'mkt_payment') }}
),

renamed as (
    select
        -- ids
        trim(pay_no) as payment_no,
        trim(bill_no) as bill_no,
        trim(acct_no) as settlement_account_no,
        trim(reversed_pay_no) as reversed_payment_no,

        -- codes and texts
        channel as channel_code,

        -- numerics
        amount as amount_cny,

        -- timestamps
        paid_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
