with managers as (
    select * from {{ ref('stg_marketing__managers') }}
),

final as (
    select distinct on (manager_no)
        manager_no,
        org_no,
        status_code,
        certificate_level,
        posted_date,
        left_date,
        certified_date,
        certificate_valid_to,
        training_hours_12m
    from managers
    order by manager_no, _raw_id desc
)

select * from final
