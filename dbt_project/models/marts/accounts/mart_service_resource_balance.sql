with months as (
    select * from {{ ref('dim_months') }}
),

tiers as (
    select * from {{ ref('dim_service_tiers') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

visits as (
    select * from {{ ref('fct_manager_visits') }}
),

-- The tier at the end of the month counts for the whole month.
tiered as (
    select
        months.month_start_date,
        months.next_month_start_date,
        tiers.account_no,
        tiers.tier_code
    from months
    inner join tiers on {{ is_valid_on('tiers', 'months.report_date') }}
    where tiers.tier_code is not null
),

activities as (
    select
        account_no,
        issued_date as activity_date,
        total_charge_cny as revenue_cny,
        0 as service_minutes,
        0 as visits
    from bills
    union all
    select
        account_no,
        accepted_date as activity_date,
        0 as revenue_cny,
        work_minutes as service_minutes,
        0 as visits
    from tickets
    union all
    select
        account_no,
        visited_date as activity_date,
        0 as revenue_cny,
        work_minutes as service_minutes,
        1 as visits
    from visits
),

added as (
    select
        tiered.month_start_date,
        tiered.tier_code,
        count(distinct tiered.account_no)::integer as accounts,
        coalesce(sum(activities.revenue_cny), 0) as revenue_cny,
        coalesce(sum(activities.service_minutes), 0) as service_minutes,
        coalesce(sum(activities.visits), 0) as visits
    from tiered
    left join activities
        on
            tiered.account_no = activities.account_no
            and activities.activity_date >= tiered.month_start_date
            and activities.activity_date < tiered.next_month_start_date
    group by tiered.month_start_date, tiered.tier_code
),

shared as (
    select
        *,
        revenue_cny::numeric / nullif(sum(revenue_cny) over by_month, 0) as share_of_revenue,
        service_minutes::numeric / nullif(sum(service_minutes) over by_month, 0) as share_of_service_hours,
        visits::numeric / nullif(sum(visits) over by_month, 0) as share_of_visits
    from added
    window by_month as (partition by month_start_date)
),

measured as (
    select
        tier_code,
        month_start_date,
        accounts,
        revenue_cny::numeric(18, 2) as revenue_cny,
        (service_minutes::numeric / 60)::numeric(14, 4) as service_hours,
        visits::integer as visits,
        share_of_revenue::numeric(12, 10) as share_of_revenue,
        share_of_service_hours::numeric(12, 10) as share_of_service_hours,
        share_of_visits::numeric(12, 10) as share_of_visits,
        (share_of_service_hours / nullif(share_of_revenue, 0))::numeric(14, 6) as balance_index
    from shared
),

final as ({{ partial_rows('measured') }})

select * from final
