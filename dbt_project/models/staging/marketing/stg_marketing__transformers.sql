with source as (
    {{ newest_landed('marketing', 'mkt_transformer') }}
),

renamed as (
    select
        -- ids
        trim(tran_no) as transformer_no,
        trim(cons_no) as account_no,

        -- codes and texts
        primary_backup as duty_code,
        state as state_code,

        -- numerics
        cap_kva as capacity_kva,

        -- dates
        state_from,
        state_to + 1 as state_to,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
