with stages as (
    select * from {{ ref('fct_application_stages') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

departments as (
    select * from {{ ref('dim_departments') }}
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

-- Where no name is delivered, the number is shown.
final as (
    select
        seen.dept_no,
        coalesce(departments.dept_name, seen.dept_no) as dept_name,
        departments.dept_name is not null as is_named,
        bool_or(seen.has_stages) as has_stages,
        bool_or(seen.has_tickets) as has_tickets
    from seen
    left join departments on seen.dept_no = departments.dept_no
    group by seen.dept_no, departments.dept_name
    union all
    select
        'UNKNOWN' as dept_no,
        '未知 / unknown' as dept_name,
        false as is_named,
        false as has_stages,
        false as has_tickets
)

select * from final
