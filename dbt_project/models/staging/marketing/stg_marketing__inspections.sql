with source as (
    {{ newest_landed('marketing', 'mkt_inspection') }}
),

renamed as (
    select
        -- ids
        trim(insp_no) as inspection_no,
        trim(cons_no) as account_no,
        trim(inspector_no) as inspector_no,

        -- codes and texts
        kind as kind_code,
        result_text,

        -- booleans
        customer_signed as is_customer_signed,
        protection_setting_ok as is_protection_setting_ok,

        -- dates
        due_on as due_date,
        done_on as done_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
