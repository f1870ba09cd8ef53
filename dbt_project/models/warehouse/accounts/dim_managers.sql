with manager_versions as (
    select * from {{ ref('int_manager_versions') }}
),

assignments as (
    select * from {{ ref('bridge_account_managers') }}
    where assign_role_code = 'PRIMARY'
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

-- The portfolio of a version is that of its last day, of the one in force that of D.
followed as (
    select
        *,
        coalesce(valid_to - 1, {{ business_date() }}) as last_date
    from manager_versions
),

portfolios as (
    select
        followed.manager_no,
        followed.valid_from,
        count(distinct assignments.account_no)::integer as portfolio_size,
        sum(accounts.contract_capacity_kva)::numeric(16, 2) as portfolio_kva
    from followed
    inner join assignments
        on followed.manager_no = assignments.manager_no and {{ is_valid_on('assignments', 'followed.last_date') }}
    left join accounts on assignments.account_no = accounts.account_no
    group by followed.manager_no, followed.valid_from
),

final as (
    select
        followed.manager_no,
        followed.valid_from,
        followed.valid_to,
        followed.valid_to is null as is_current,
        followed.org_no,
        followed.status_code,
        followed.posted_date,
        followed.left_date,
        followed.certified_date as certified_on,
        followed.certificate_level as cert_level,
        followed.certificate_valid_to,
        followed.training_hours_12m,
        coalesce(portfolios.portfolio_size, 0) as portfolio_size,
        {{ unless_left_out('mkt_customer', 'coalesce(portfolios.portfolio_kva, 0)') }}::numeric(16, 2) as portfolio_kva
    from followed
    left join portfolios
        on followed.manager_no = portfolios.manager_no and followed.valid_from = portfolios.valid_from
)

select * from final
