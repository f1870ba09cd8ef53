with organisations as (
    select * from {{ ref('dim_organisations') }}
),

final as (
    select
        organisations.org_no,
        coalesce(organisations.org_name, organisations.org_no) as org_name,
        coalesce(organisations.parent_org_no, organisations.org_no) as parent_org_no,
        coalesce(parents.org_name, organisations.org_name, organisations.org_no) as parent_org_name,
        organisations.parent_org_no is null as is_top,
        organisations.area_class_code
    from organisations
    left join organisations as parents on organisations.parent_org_no = parents.org_no
    union all
    select
        'UNKNOWN' as org_no,
        '未知 / unknown' as org_name,
        'UNKNOWN' as parent_org_no,
        '未知 / unknown' as parent_org_name,
        false as is_top,
        null as area_class_code
)

select * from final
