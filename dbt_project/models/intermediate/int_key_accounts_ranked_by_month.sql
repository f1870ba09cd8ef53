with customers as (
    select * from {{ ref('stg_marketing__customers') }}
),

bills as (
    select * from {{ ref('stg_marketing__bills') }}
),

tiers as (
    select * from {{ ref('stg_marketing__service_tiers') }}
),

contracts as (
    select * from {{ ref('int_contracts_in_force') }}
),

parameters as (
    select * from {{ ref('key_account_parameters') }}
),

months as (
    select
        series.ranking_month::date as ranking_month,
        least((series.ranking_month + interval '1 month')::date - 1, {{ business_date() }}) as report_date
    from generate_series(
        least((select min(bills.bill_month) from bills), date_trunc('month', {{ business_date() }}::timestamp)),
        date_trunc('month', {{ business_date() }}::timestamp),
        interval '1 month'
    ) as series (ranking_month)
),

thresholds as (
    select
        months.ranking_month,
        months.report_date,
        max(parameters.number_value) filter (where parameters.parameter_code = 'pareto_revenue_share')
            as pareto_revenue_share,
        max(parameters.number_value) filter (where parameters.parameter_code = 'capacity_threshold_kva')
            as capacity_threshold_kva,
        (max(parameters.number_value) filter (where parameters.parameter_code = 'ranking_months'))::integer
            as ranking_months,
        string_to_array(
            max(parameters.text_value) filter (where parameters.parameter_code = 'important_class_codes'), ' '
        ) as important_class_codes,
        max(parameters.text_value) filter (where parameters.parameter_code = 'strategic_tier_code')
            as strategic_tier_code
    from months
    inner join parameters on {{ is_valid_on('parameters', 'months.report_date') }}
    group by months.ranking_month, months.report_date
),

-- A month is ranked where all its closed months before it can have bills; the month of D is ranked whatever there is.
ranking_months as (
    select
        *,
        (ranking_month - make_interval(months => ranking_months))::date as first_bill_month
    from thresholds
    where
        ranking_month - make_interval(months => ranking_months) >= (select min(bills.bill_month) from bills)
        or ranking_month = date_trunc('month', {{ business_date() }})::date
),

accounts as (
    select
        account_no,
        max(contract_capacity_kva) as contract_capacity_kva,
        array_agg(importance_code) as importance_codes
    from customers
    where account_no is not null
    group by account_no
),

strategic as (
    select distinct
        tiers.account_no,
        ranking_months.ranking_month
    from tiers
    inner join ranking_months
        on tiers.tier_code = ranking_months.strategic_tier_code and {{ is_valid_on('tiers', 'ranking_months.report_date') }}
),

revenue as (
    select
        bills.account_no,
        ranking_months.ranking_month,
        sum(bills.total_charge_cny) as revenue_12m_cny,
        sum(bills.billed_kwh) as energy_12m_kwh
    from bills
    inner join ranking_months
        on
            bills.bill_month >= ranking_months.first_bill_month
            and bills.bill_month < ranking_months.ranking_month
    group by bills.account_no, ranking_months.ranking_month
),

-- Accounts without positive revenue are listed without a rank: they would distort the shares.
ranked as (
    select
        account_no,
        ranking_month,
        row_number() over by_revenue as revenue_rank,
        sum(revenue_12m_cny) over (
            partition by ranking_month
            order by revenue_12m_cny desc nulls last, account_no
            rows between unbounded preceding and current row
        ) as running_revenue_cny,
        sum(revenue_12m_cny) over (partition by ranking_month) as all_revenue_cny,
        revenue_12m_cny
    from revenue
    where revenue_12m_cny > 0
    window by_revenue as (partition by ranking_month order by revenue_12m_cny desc nulls last, account_no)
),

shares as (
    select
        account_no,
        ranking_month,
        revenue_rank,
        (running_revenue_cny - revenue_12m_cny)::numeric / nullif(all_revenue_cny, 0) as cum_share_before,
        running_revenue_cny::numeric / nullif(all_revenue_cny, 0) as cum_share
    from ranked
),

judged as (
    select
        coalesce(accounts.account_no, revenue.account_no) as account_no,
        ranking_months.ranking_month,
        coalesce(revenue.revenue_12m_cny, 0)::numeric(18, 2) as revenue_12m_cny,
        coalesce(revenue.energy_12m_kwh, 0)::numeric(18, 4) as energy_12m_kwh,
        shares.revenue_rank::integer as revenue_rank,
        shares.cum_share_before::numeric(12, 10) as cum_share_before,
        shares.cum_share::numeric(12, 10) as cum_share,
        coalesce(shares.cum_share_before < ranking_months.pareto_revenue_share, false) as is_pareto,
        coalesce(
            coalesce(contracts.contract_capacity_kva, accounts.contract_capacity_kva) >= ranking_months.capacity_threshold_kva, false
        ) as is_large_capacity,
        coalesce(accounts.importance_codes && ranking_months.important_class_codes, false) as is_important_user,
        strategic.account_no is not null as is_strategic
    from ranking_months
    cross join (
        select account_no from accounts
        union
        select account_no from revenue
    ) as population
    left join accounts on population.account_no = accounts.account_no
    -- a past month has the capacity that was agreed then
    left join contracts
        on population.account_no = contracts.account_no and {{ is_valid_on('contracts', 'ranking_months.report_date') }}
    left join revenue
        on population.account_no = revenue.account_no and ranking_months.ranking_month = revenue.ranking_month
    left join shares
        on population.account_no = shares.account_no and ranking_months.ranking_month = shares.ranking_month
    left join strategic
        on population.account_no = strategic.account_no and ranking_months.ranking_month = strategic.ranking_month
),

final as (
    select
        account_no,
        ranking_month,
        revenue_12m_cny,
        energy_12m_kwh,
        revenue_rank,
        cum_share_before,
        cum_share,
        is_pareto,
        is_large_capacity,
        is_important_user,
        is_strategic,
        is_pareto or is_large_capacity or is_important_user or is_strategic as is_key_account,
        case
            when is_pareto then 'PARETO'
            when is_large_capacity then 'CAPACITY'
            when is_important_user then 'IMPORTANT_USER'
            when is_strategic then 'STRATEGIC'
        end as key_reason
    from judged
    where account_no is not null
)

select * from final
