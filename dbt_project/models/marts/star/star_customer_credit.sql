-- Exposure, 80/20 and credit of those who own accounts: the sums of the marts by account, so that they agree with them.
with months as (
    select * from {{ ref('dim_months') }}
),

owners as (
    select * from {{ ref('bridge_account_customers') }}
),

groups as (
    select * from {{ ref('customer_groups') }}
),

credit as (
    select * from {{ ref('mart_credit_risk') }}
),

rankings as (
    select * from {{ ref('mart_key_account_ranking') }}
),

owned as (
    select
        months.month_start_date,
        months.report_date,
        owners.account_no,
        owners.customer_no,
        coalesce(groups.group_no, owners.customer_no) as group_no
    from months
    inner join owners on {{ is_valid_on('owners', 'months.report_date') }}
    left join groups on owners.customer_no = groups.credit_code and {{ is_valid_on('groups', 'months.report_date') }}
),

levels as (
    select
        'LEGAL_CUSTOMER' as level_code,
        customer_no as entity_no,
        month_start_date,
        report_date,
        account_no
    from owned
    union all
    select
        'GROUP' as level_code,
        group_no as entity_no,
        month_start_date,
        report_date,
        account_no
    from owned
),

added as (
    select
        levels.level_code,
        levels.entity_no,
        levels.month_start_date,
        levels.report_date,
        count(*)::integer as accounts,
        sum(rankings.revenue_12m_cny)::numeric(18, 2) as revenue_12m_cny,
        sum(credit.unpaid_cny)::numeric(18, 2) as unpaid_cny,
        sum(credit.overdue_cny)::numeric(18, 2) as overdue_cny,
        sum(credit.penalty_open_cny)::numeric(18, 2) as penalty_open_cny,
        sum(credit.expected_bill_cny)::numeric(18, 2) as expected_bill_cny,
        sum(credit.deposit_cny)::numeric(18, 2) as deposit_cny,
        sum(credit.exposure_cny)::numeric(18, 2) as exposure_cny,
        min(credit.credit_score)::numeric(9, 6) as lowest_credit_score,
        max(credit.grade) as worst_grade,
        count(*) filter (where credit.veto_codes <> '')::integer as accounts_with_veto,
        (coalesce(bool_or(credit.is_partial), false) or coalesce(bool_or(rankings.is_partial), false)) as is_partial
    from levels
    left join credit
        on levels.account_no = credit.account_no and levels.month_start_date = credit.month_start_date
    left join rankings
        on levels.account_no = rankings.account_no and levels.month_start_date = rankings.ranking_month
    group by levels.level_code, levels.entity_no, levels.month_start_date, levels.report_date
),

-- As accounts are ranked: by revenue, and only where there is any.
ranked as (
    select
        level_code,
        entity_no,
        month_start_date,
        row_number() over by_revenue as revenue_rank,
        sum(revenue_12m_cny) over by_revenue - revenue_12m_cny as before_cny,
        sum(revenue_12m_cny) over (partition by level_code, month_start_date) as total_cny
    from added
    where revenue_12m_cny > 0
    window by_revenue as (
        partition by level_code, month_start_date
        order by revenue_12m_cny desc, entity_no
        rows between unbounded preceding and current row
    )
),

final as (
    select
        added.level_code,
        added.entity_no,
        added.month_start_date,
        added.accounts,
        added.revenue_12m_cny,
        ranked.revenue_rank::integer as revenue_rank,
        (ranked.before_cny / ranked.total_cny)::numeric(12, 10) as cum_share_before,
        coalesce(
            ranked.before_cny / ranked.total_cny
            < {{ parameter('key_account_parameters', 'pareto_revenue_share', on='added.report_date') }},
            false
        ) as is_pareto,
        added.unpaid_cny,
        added.overdue_cny,
        added.penalty_open_cny,
        added.expected_bill_cny,
        added.deposit_cny,
        added.exposure_cny,
        added.lowest_credit_score,
        added.worst_grade,
        added.accounts_with_veto,
        added.is_partial
    from added
    left join ranked
        on
            added.level_code = ranked.level_code
            and added.entity_no = ranked.entity_no
            and added.month_start_date = ranked.month_start_date
)

select * from final
