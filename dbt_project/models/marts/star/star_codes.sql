with labels as (
    select * from {{ ref('code_labels') }} as labels
    where {{ is_valid_on('labels', business_date()) }}
),

industries as (
    select * from {{ ref('star_industries') }}
),

tariffs as (
    select * from {{ ref('star_tariffs') }}
),

documents as (
    select distinct on (document_code) * from {{ ref('dim_policy_documents') }}
    order by document_code, valid_from desc
),

fees as (
    select distinct on (fee_item_code) * from {{ ref('dim_fee_items') }}
    order by fee_item_code, valid_from desc
),

final as (
    select
        column_name,
        code,
        name_en,
        name_zh
    from labels
    union all
    select
        'industry_code' as column_name,
        industry_code as code,
        name_en,
        name_zh
    from industries
    union all
    select distinct
        'section_code' as column_name,
        section_code as code,
        section_name_en as name_en,
        section_name_zh as name_zh
    from industries
    where section_code is not null
    union all
    select
        'tariff_code' as column_name,
        tariff_code as code,
        name_en,
        name_zh
    from tariffs
    -- documents and fees have one name, that of their text
    union all
    select
        'document_code' as column_name,
        document_code as code,
        lower(replace(document_code, '_', ' ')) as name_en,
        title as name_zh
    from documents
    union all
    select
        'fee_item_code' as column_name,
        fee_item_code as code,
        lower(replace(fee_item_code, '_', ' ')) as name_en,
        fee_item_name as name_zh
    from fees
)

select * from final
