with stages as (
    select * from {{ ref('fct_application_stages') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

seen as (
    select
        dept_no,
        true as has_stages,
        false as has_tickets
    from stages
    where dept_no is not null
    union all
    select
        dept_no,
        false as has_stages,
        true as has_tickets
    from tickets
    where dept_no is not null
),

-- No source delivers names of departments: the number is shown until one does.
final as (
    select
        dept_no,
        dept_no as dept_name,
        false as is_named,
        bool_or(has_stages) as has_stages,
        bool_or(has_tickets) as has_tickets
    from seen
    group by dept_no
    union all
    select
        'UNKNOWN' as dept_no,
        '未知 / unknown' as dept_name,
        false as is_named,
        false as has_stages,
        false as has_tickets
)

select * from final
