/*
sentence: The revenue of all service tiers of a month is the sum of the bills that were issued in it to connected customers.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: An account without a tier, or with two, shifts every share of the balance.
source: requirement S03
subject: month
population: months
reads: [candidate.mart_service_resource_balance, stg_marketing__bills, stg_marketing__customers]
*/
-- tested
with months as (
    select
        month_start_date,
        {{ next_month('month_start_date') }} as next_month_start_date,
        sum(revenue_cny) as revenue_cny
    from candidate.mart_service_resource_balance
    group by month_start_date
    -- what is withheld may be negative, so that the sum of a tier is no bound
    having not bool_or(revenue_cny is null and 'revenue_cny' = any(partial_measures))
),

billed as (
    select
        bills.issued_date,
        bills.total_charge_cny,
        coalesce(customers.connect_date, customers.open_date, bills.issued_date) as connected_date
    from staging.stg_marketing__bills as bills
    inner join staging.stg_marketing__customers as customers on bills.account_no = customers.account_no
)

select
    {{ mart_row('mart_service_resource_balance', 'months', ['month_start_date']) }},
    months.revenue_cny,
    coalesce(sum(billed.total_charge_cny), 0) as billed_cny
from months
left join billed
    on
        months.month_start_date <= billed.issued_date
        and billed.issued_date < months.next_month_start_date
        and billed.connected_date < months.next_month_start_date
group by months.month_start_date, months.revenue_cny
-- violations
{{ amounts_that_differ('revenue_cny', 'revenue_cny', 'billed_cny', day='month_start_date', key='record_key', account=false) }}
