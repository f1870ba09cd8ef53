-- What is due, by account: each task with the day by which it must be done and the yuan that rest on it. A task whose day is
-- past stays until it is done.
with accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

rankings as (
    select * from {{ ref('fct_key_account_rankings') }}
    where ranking_month = {{ month_of(business_date()) }}
),

managers as (
    select * from {{ ref('bridge_account_managers') }} as managers
    where assign_role_code = 'PRIMARY' and {{ is_valid_on('managers', business_date()) }}
),

advice as (
    select * from {{ ref('mart_advice') }}
    where advice_status_code = 'OPEN'
),

quality as (
    select * from {{ ref('int_account_quality') }}
),

known as (
    select * from {{ ref('int_manager_tasks') }}
),

tasks as (
    select * from known
    union all
    select
        account_no,
        'ADVICE' as task_code,
        advice_code || ' ' || applies_from as subject_no,
        null as due_at,
        last_day_to_apply as due_date,
        3 * saving_cny as amount_cny
    from advice
    where not exists (
        select 1 from accounts
        where advice.account_no = accounts.account_no and accounts.close_date <= {{ business_date() }}
    )
),

managed as (
    select
        account_no,
        min(manager_no) as manager_no
    from managers
    group by account_no
),

final as (
    select
        tasks.account_no,
        tasks.task_code,
        tasks.subject_no,
        {{ business_date() }} as as_of_date,
        {{ month_of(business_date()) }} as month_start_date,
        accounts.org_no,
        managed.manager_no,
        coalesce(rankings.is_key_account, false) as is_key_account,
        tasks.due_at,
        tasks.due_date,
        coalesce(tasks.due_date <= {{ business_date() }}, false) as is_late,
        tasks.amount_cny::numeric(18, 2) as task_amount_cny,
        (row_number() over (
            partition by managed.manager_no
            order by
                tasks.due_date asc nulls last,
                tasks.due_at asc nulls last,
                tasks.amount_cny desc nulls last,
                tasks.account_no,
                tasks.task_code,
                tasks.subject_no
        ))::integer as task_rank,
        coalesce(quality.withheld_rows, 0) > 0 as is_partial
    from tasks
    inner join accounts on tasks.account_no = accounts.account_no
    left join managed on tasks.account_no = managed.account_no
    left join rankings on tasks.account_no = rankings.account_no
    left join quality on tasks.account_no = quality.account_no
    where managed.manager_no is not null or rankings.is_key_account
)

select * from final
