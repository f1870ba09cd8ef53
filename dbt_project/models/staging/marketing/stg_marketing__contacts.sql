with source as (
    {{ newest_landed('marketing', 'mkt_contact') }}
),

renamed as (
    select
        -- ids
        trim(cons_no) as account_no,

        -- codes and texts
        contact_role as contact_role_code,
        contact_name,
        mobile,
        phone,
        email,

        -- booleans
        is_primary_contact,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
