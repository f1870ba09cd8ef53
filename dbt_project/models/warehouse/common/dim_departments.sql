with departments as (
    select * from {{ ref('stg_marketing__departments') }}
),

final as (
    select distinct on (dept_no)
        dept_no,
        dept_name,
        org_no,
        valid_from,
        valid_to
    from departments
    order by dept_no, _raw_id desc
)

select * from final
