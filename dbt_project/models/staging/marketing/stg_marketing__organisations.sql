with source as (
    {{ newest_landed('marketing', 'mkt_org') }}
),

renamed as (
    select
        -- ids
        trim(org_no) as org_no,
        trim(parent_org_no) as parent_org_no,

        -- codes and texts
        org_name,
        urban_rural as area_class_code,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
