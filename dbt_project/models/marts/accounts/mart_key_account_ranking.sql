with rankings as (
    select * from {{ ref('fct_key_account_rankings') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

as_of_months as (
    select * from {{ ref('int_accounts_as_of_month') }}
),

months as (
    select * from {{ ref('dim_months') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

loads as (
    select * from {{ ref('int_load_monthly') }}
),

prices as (
    select * from {{ ref('market_prices') }}
    where price_code = 'PURCHASE_COST'
),

ranked_months as (
    select distinct
        rankings.ranking_month,
        months.report_date,
        {{ months_before('rankings.ranking_month', parameter('key_account_parameters', 'ranking_months', on='months.report_date')) }}
            as first_bill_month
    from rankings
    inner join months on rankings.ranking_month = months.month_start_date
),

-- 80/20 may or may not hold: the share of the first fifth of the customers is published beside the ranking.
shares as (
    select
        ranked.ranking_month,
        max(ranked.positive_accounts)::integer as ranked_accounts,
        sum(ranked.revenue_12m_cny) filter (
            where ranked.revenue_rank <= ceil(
                {{ parameter('key_account_parameters', 'top_customer_share', on='ranked.report_date') }}
                * ranked.positive_accounts
            )
        )::numeric / nullif(sum(ranked.revenue_12m_cny), 0) as top20pct_share
    from (
        select
            rankings.ranking_month,
            ranked_months.report_date,
            rankings.revenue_rank,
            rankings.revenue_12m_cny,
            count(*) over (partition by rankings.ranking_month) as positive_accounts
        from rankings
        inner join ranked_months on rankings.ranking_month = ranked_months.ranking_month
        where rankings.revenue_rank is not null
    ) as ranked
    group by ranked.ranking_month
),

-- Government funds pass through; a month without a known cost of purchase leaves the margin unknown.
margins as (
    select
        ranked_months.ranking_month,
        bills.account_no,
        case
            when bool_and(prices.price_cny_per_mwh is not null)
                then sum(
                    bills.total_charge_cny
                    - coalesce(bills.fund_charge_cny, 0)
                    - coalesce(bills.billed_kwh, 0) * prices.price_cny_per_mwh / 1000
                )
        end as gross_margin_12m_cny
    from bills
    inner join ranked_months
        on bills.bill_month >= ranked_months.first_bill_month and bills.bill_month < ranked_months.ranking_month
    left join prices on {{ is_valid_on('prices', 'bills.bill_month') }}
    group by ranked_months.ranking_month, bills.account_no
),

billed_peaks as (
    select distinct on (ranked_months.ranking_month, bills.account_no)
        ranked_months.ranking_month,
        bills.account_no,
        bills.actual_demand_kw,
        bills.power_factor
    from bills
    inner join ranked_months
        on bills.bill_month >= ranked_months.first_bill_month and bills.bill_month < ranked_months.ranking_month
    where bills.actual_demand_kw is not null
    order by
        ranked_months.ranking_month,
        bills.account_no,
        bills.actual_demand_kw desc nulls last,
        bills.bill_month desc nulls last,
        bills.bill_no
),

measured_peaks as (
    select
        ranked_months.ranking_month,
        loads.account_no,
        max(loads.max_kw) as max_kw
    from loads
    inner join ranked_months
        on loads.month_start_date >= ranked_months.first_bill_month and loads.month_start_date < ranked_months.ranking_month
    group by ranked_months.ranking_month, loads.account_no
),

measured as (
    select
        rankings.ranking_month,
        rankings.account_no,
        accounts.org_no,
        rankings.revenue_12m_cny,
        margins.gross_margin_12m_cny::numeric(18, 2) as gross_margin_12m_cny,
        rankings.energy_12m_kwh,
        rankings.revenue_rank,
        rankings.cum_share_before,
        rankings.cum_share,
        shares.ranked_accounts,
        shares.top20pct_share::numeric(12, 10) as top20pct_share,
        rankings.is_key_account,
        rankings.key_reason,
        rankings.is_pareto,
        rankings.is_large_capacity,
        rankings.is_important_user,
        rankings.is_strategic,
        rankings.entered_on as entered_date,
        rankings.left_on as left_date,
        as_of_months.contract_capacity_kva,
        as_of_months.running_capacity_kva,
        coalesce(billed_peaks.actual_demand_kw, measured_peaks.max_kw)::numeric(18, 4) as max_demand_kw,
        (
            billed_peaks.actual_demand_kw::numeric
            / nullif(as_of_months.running_capacity_kva * billed_peaks.power_factor, 0)
        )::numeric(14, 6) as load_rate
    from rankings
    inner join ranked_months on rankings.ranking_month = ranked_months.ranking_month
    left join shares on rankings.ranking_month = shares.ranking_month
    left join accounts on rankings.account_no = accounts.account_no
    left join as_of_months
        on rankings.account_no = as_of_months.account_no and rankings.ranking_month = as_of_months.month_start_date
    left join margins
        on rankings.account_no = margins.account_no and rankings.ranking_month = margins.ranking_month
    left join billed_peaks
        on rankings.account_no = billed_peaks.account_no and rankings.ranking_month = billed_peaks.ranking_month
    left join measured_peaks
        on rankings.account_no = measured_peaks.account_no and rankings.ranking_month = measured_peaks.ranking_month
),

final as ({{ partial_rows('measured') }})

select * from final
