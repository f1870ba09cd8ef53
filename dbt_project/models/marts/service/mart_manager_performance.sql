with results as (
    select * from {{ ref('int_manager_results') }}
),

managers as (
    select * from {{ ref('dim_managers') }}
    where is_current
),

assignments as (
    select * from {{ ref('bridge_account_managers') }}
    where assign_role_code = 'PRIMARY'
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

assessments as (
    select * from {{ ref('fct_manager_assessments') }}
),

dimensions as (
    select * from {{ ref('assessment_dimensions') }}
),

weights as (
    select * from {{ ref('performance_weights') }}
),

rated as (
    select
        *,
        (clocks_met::numeric / nullif(clocks_judged, 0) * 100)::numeric(8, 4) as sla_hit_pct,
        (accounts_visited::numeric / nullif(accounts_in_window, 0) * 100)::numeric(8, 4) as visit_coverage_pct,
        (notices_in_time::numeric / nullif(notices_counted, 0) * 100)::numeric(8, 4) as notice_compliance_pct,
        (
            case
                when overdue_paid_cny + overdue_unpaid_cny > 0
                    then overdue_paid_cny / (overdue_paid_cny + overdue_unpaid_cny)
                else 1
            end * 100
        )::numeric(8, 4) as arrears_recovered_pct,
        ((1 - churned_accounts::numeric / nullif(accounts_in_window, 0)) * 100)::numeric(8, 4) as accounts_kept_pct,
        ((1 - accounts_with_defects::numeric / nullif(accounts_now, 0)) * 100)::numeric(8, 4) as data_quality_pct
    from results
),

-- A component without anything to judge leaves the performance unknown: the others are not given its weight.
performed as (
    select
        rated.manager_no,
        rated.month_start_date,
        case
            when count(components.value) = count(*) then sum(weights.weight * components.value) / nullif(sum(weights.weight), 0)
        end as performance_score
    from rated
    inner join weights on {{ is_valid_on('weights', 'rated.report_date') }}
    left join lateral (
        values
        ('SLA_HIT', rated.sla_hit_pct),
        ('SATISFACTION', rated.satisfaction_score_pct),
        ('VISIT_COVERAGE', rated.visit_coverage_pct),
        ('NOTICE_COMPLIANCE', rated.notice_compliance_pct),
        ('ARREARS_RECOVERED', rated.arrears_recovered_pct),
        ('ACCOUNTS_KEPT', rated.accounts_kept_pct),
        ('DATA_QUALITY', rated.data_quality_pct)
    ) as components (component_code, value) on weights.component_code = components.component_code
    group by rated.manager_no, rated.month_start_date
),

newest_periods as (
    select distinct on (rated.manager_no, rated.month_start_date)
        rated.manager_no,
        rated.month_start_date,
        assessments.period
    from rated
    inner join assessments
        on rated.manager_no = assessments.manager_no and assessments.period_end_date <= rated.report_date
    order by rated.manager_no, rated.month_start_date, assessments.period_end_date desc, assessments.period
),

-- What was typed in for the performance is replaced by what the facts say; its weight is kept.
scored as (
    select
        rated.manager_no,
        rated.month_start_date,
        newest_periods.period,
        dimensions.dimension_code,
        assessments.weight,
        case when dimensions.is_derived then performed.performance_score else assessments.raw_score end as score
    from rated
    inner join dimensions on {{ is_valid_on('dimensions', 'rated.report_date') }}
    left join performed on rated.manager_no = performed.manager_no and rated.month_start_date = performed.month_start_date
    left join newest_periods
        on rated.manager_no = newest_periods.manager_no and rated.month_start_date = newest_periods.month_start_date
    left join assessments
        on
            newest_periods.manager_no = assessments.manager_no
            and newest_periods.period = assessments.period
            and dimensions.dimension_code = assessments.dimension
),

assessed as (
    select
        manager_no,
        month_start_date,
        min(period) as assessment_period,
        max(score) filter (where dimension_code = 'KNOWLEDGE') as knowledge_score,
        max(score) filter (where dimension_code = 'PROFESSIONAL') as professional_score,
        max(score) filter (where dimension_code = 'SKILL') as skill_score,
        max(score) filter (where dimension_code = 'COMMUNICATION') as communication_score,
        max(score) filter (where dimension_code = 'ETHICS') as ethics_score,
        max(score) filter (where dimension_code = 'PERFORMANCE') as performance_score,
        sum(weight) filter (where score is not null) as weight_sum,
        string_agg(dimension_code, ', ' order by dimension_code) filter (
            where score is null or weight is null
        ) as missing_dimensions,
        sum(weight * score) as weighted_score
    from scored
    group by manager_no, month_start_date
),

portfolios as (
    select
        rated.manager_no,
        rated.month_start_date,
        sum(accounts.contract_capacity_kva) as portfolio_kva
    from rated
    inner join assignments
        on rated.manager_no = assignments.manager_no and {{ is_valid_on('assignments', 'rated.report_date') }}
    inner join accounts on assignments.account_no = accounts.account_no
    group by rated.manager_no, rated.month_start_date
),

measured as (
    select
        rated.manager_no,
        rated.month_start_date as report_month,
        rated.report_date as as_of_date,
        managers.org_no,
        managers.cert_level as certificate_level,
        managers.certified_on,
        case when managers.certified_on <= rated.report_date then managers.certificate_valid_to - 1 - rated.report_date end
            as certificate_days_left,
        managers.training_hours_12m,
        rated.accounts_now as portfolio_size,
        coalesce(portfolios.portfolio_kva, 0)::numeric(16, 2) as portfolio_kva,
        rated.clocks_judged,
        rated.clocks_met,
        rated.sla_hit_pct,
        rated.satisfaction_answers,
        rated.satisfaction_score_pct,
        rated.accounts_in_window as accounts_to_visit,
        rated.accounts_visited,
        rated.visit_coverage_pct,
        rated.notices_counted,
        rated.notices_in_time,
        rated.notice_compliance_pct,
        rated.overdue_paid_cny,
        rated.overdue_unpaid_cny,
        rated.arrears_recovered_pct,
        rated.churned_accounts,
        rated.accounts_kept_pct,
        rated.dq_defects_owned,
        rated.data_quality_pct,
        assessed.performance_score::numeric(8, 4) as performance_score,
        assessed.assessment_period,
        assessed.knowledge_score::numeric(8, 4) as knowledge_score,
        assessed.professional_score::numeric(8, 4) as professional_score,
        assessed.skill_score::numeric(8, 4) as skill_score,
        assessed.communication_score::numeric(8, 4) as communication_score,
        assessed.ethics_score::numeric(8, 4) as ethics_score,
        assessed.weight_sum::numeric(8, 4) as weight_sum,
        assessed.missing_dimensions,
        case
            when
                assessed.missing_dimensions is null
                and abs(assessed.weight_sum - 1)
                <= {{ parameter('service_parameters', 'weight_tolerance', on='rated.report_date') }}
                then assessed.weighted_score
        end::numeric(8, 4) as score
    from rated
    inner join managers on rated.manager_no = managers.manager_no
    left join portfolios on rated.manager_no = portfolios.manager_no and rated.month_start_date = portfolios.month_start_date
    left join assessed on rated.manager_no = assessed.manager_no and rated.month_start_date = assessed.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
