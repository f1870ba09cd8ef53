with industries as (
    select * from {{ ref('industries') }} as industries
    where {{ is_valid_on('industries', business_date()) }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

-- An industry that the list does not have keeps its code as its name, and the reader sees that it is not listed.
final as (
    select
        industry_code,
        name_en,
        name_zh,
        section_code,
        section_name_en,
        section_name_zh,
        true as is_listed
    from industries
    union all
    select distinct
        accounts.industry_code,
        accounts.industry_code as name_en,
        accounts.industry_code as name_zh,
        null as section_code,
        null as section_name_en,
        null as section_name_zh,
        false as is_listed
    from accounts
    left join industries on accounts.industry_code = industries.industry_code
    where industries.industry_code is null and accounts.industry_code is not null
    union all
    select
        'UNKNOWN' as industry_code,
        'unknown' as name_en,
        '未知' as name_zh,
        null as section_code,
        null as section_name_en,
        null as section_name_zh,
        false as is_listed
)

select * from final
