with source as (
    {{ newest_landed('marketing', 'mkt_account') }}
),

renamed as (
    select
        -- ids
        trim(acct_no) as settlement_account_no,
        trim(cons_no) as account_no,
        trim(bank_acct) as bank_account_no,
        trim(tax_no) as tax_no,

        -- codes and texts
        payer_name,
        pay_mode as pay_mode_code,
        bill_cycle,

        -- numerics
        installments,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
