with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

as_of_months as (
    select * from {{ ref('int_accounts_as_of_month') }}
),

rankings as (
    select * from {{ ref('fct_key_account_rankings') }}
),

managers as (
    select * from {{ ref('bridge_account_managers') }}
    where assign_role_code = 'PRIMARY'
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where status_code <> 'DRAFT' and coalesce(kind_code, '') <> 'PROTOCOL'
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

files as (
    select * from {{ ref('dim_account_files') }}
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account
),

activity as (
    select * from {{ ref('int_account_activity') }}
),

tiers as (
    select * from {{ ref('dim_service_tiers') }}
),

credit as (
    select * from {{ ref('int_credit_scores') }}
),

churn as (
    select * from {{ ref('int_churn_scores') }}
),

trade as (
    select * from {{ ref('int_trade_monthly') }}
),

quality as (
    select * from {{ ref('int_account_quality') }}
),

-- One row per account and day; before the first receipt of the archive an account has no row, because its past is unknown.
days as (
    select
        accounts.*,
        months.report_date as as_of_date,
        months.month_start_date,
        months.report_date = {{ business_date() }} as is_business_date
    from accounts
    inner join months on {{ is_valid_on('accounts', 'months.report_date') }}
),

managed as (
    select days.account_no, days.as_of_date, count(*) as primary_managers, min(managers.manager_no) as manager_no
    from days
    inner join managers
        on
            days.account_no = managers.account_no
            and {{ is_valid_on('managers', 'days.as_of_date') }}
    group by days.account_no, days.as_of_date
),

contracted as (
    select distinct on (days.account_no, days.as_of_date)
        days.account_no,
        days.as_of_date,
        contracts.contract_no,
        contracts.status_code as contract_status_code,
        contracts.valid_to - 1 as contract_last_valid_date,
        contracts.contract_capacity_kva as contracted_capacity_kva
    from days
    inner join contracts on days.account_no = contracts.account_no and contracts.valid_from <= days.as_of_date
    order by
        days.account_no,
        days.as_of_date,
        contracts.valid_from desc nulls last,
        contracts.version desc nulls last,
        contracts.contract_no
),

metered as (
    select days.account_no, days.as_of_date, count(*) as billing_points
    from days
    inner join metering_points
        on
            days.account_no = metering_points.account_no
            and {{ is_valid_on('metering_points', 'days.as_of_date') }}
    where metering_points.is_expected_to_report
    group by days.account_no, days.as_of_date
),

consumed as (
    select
        days.account_no,
        days.as_of_date,
        sum(energy_days.consumption_kwh) as month_energy_kwh,
        sum(energy_days.valid_slots) as valid_slots,
        sum(energy_days.expected_slots) as expected_slots
    from days
    inner join energy_days
        on
            days.account_no = energy_days.account_no
            and energy_days.reading_date between days.month_start_date and days.as_of_date
    group by days.account_no, days.as_of_date
),

measured as (
    select
        days.account_no,
        days.as_of_date,
        days.org_no,
        days.industry_code,
        days.customer_class_code,
        days.voltage_level_code,
        days.importance_code,
        days.status_code,
        as_of_months.contract_capacity_kva,
        as_of_months.running_capacity_kva,
        coalesce(rankings.is_key_account, false) as is_key_account,
        rankings.key_reason,
        rankings.revenue_12m_cny,
        rankings.revenue_rank,
        tiers.tier_code as service_tier_code,
        managed.manager_no,
        coalesce(managed.primary_managers, 0)::integer as primary_managers,
        contracted.contract_no,
        contracted.contract_status_code,
        contracted.contract_last_valid_date,
        contracted.contracted_capacity_kva,
        coalesce(metered.billing_points, 0)::integer as billing_points,
        consumed.month_energy_kwh::numeric(20, 4) as month_energy_kwh,
        (consumed.valid_slots::numeric / nullif(consumed.expected_slots, 0))::numeric(10, 8) as reading_coverage,
        activity.last_bill_month,
        activity.last_billed_cny,
        activity.unpaid_cny,
        activity.overdue_cny,
        activity.complaints_12m,
        activity.open_tickets,
        activity.outages_12m,
        activity.last_visit_date,
        activity.open_hazards,
        trade.trade_mode_code,
        credit.credit_score,
        credit.grade as credit_grade,
        churn.churn_score,
        churn.churn_driver_1,
        case when days.is_business_date then files.file_completeness end as file_completeness,
        case when days.is_business_date then files.missing_items end as missing_file_items,
        coalesce(
            quality.dq_status_code,
            case when managed.primary_managers is distinct from 1 and rankings.is_key_account then 'FINDINGS' else 'CLEAN' end
        ) as dq_status,
        coalesce(quality.dq_rule_ids, '') as dq_rule_ids,
        coalesce(quality.withheld_rows, 0) as withheld_rows,
        coalesce(quality.withheld_kwh, 0)::numeric(20, 4) as withheld_kwh,
        coalesce(quality.withheld_cny, 0)::numeric(20, 2) as withheld_cny
    from days
    left join as_of_months
        on days.account_no = as_of_months.account_no and days.month_start_date = as_of_months.month_start_date
    left join rankings on days.account_no = rankings.account_no and days.month_start_date = rankings.ranking_month
    left join managed on days.account_no = managed.account_no and days.as_of_date = managed.as_of_date
    left join contracted on days.account_no = contracted.account_no and days.as_of_date = contracted.as_of_date
    left join metered on days.account_no = metered.account_no and days.as_of_date = metered.as_of_date
    left join consumed on days.account_no = consumed.account_no and days.as_of_date = consumed.as_of_date
    left join activity on days.account_no = activity.account_no and days.as_of_date = activity.as_of_date
    left join files on days.account_no = files.account_no
    left join tiers on days.account_no = tiers.account_no and {{ is_valid_on('tiers', 'days.as_of_date') }}
    left join credit on days.account_no = credit.account_no and days.month_start_date = credit.month_start_date
    left join churn on days.account_no = churn.account_no and days.month_start_date = churn.month_start_date
    left join trade on days.account_no = trade.account_no and days.month_start_date = trade.month_start_date
    left join quality on days.is_business_date and days.account_no = quality.account_no
),

final as ({{ partial_rows('measured', own_withheld=true) }})

select * from final
