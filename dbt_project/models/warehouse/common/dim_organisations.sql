with organisations as (
    select * from {{ ref('stg_marketing__organisations') }}
),

final as (
    select distinct on (org_no)
        org_no,
        org_name,
        parent_org_no,
        area_class_code
    from organisations
    order by org_no, _raw_id desc
)

select * from final
