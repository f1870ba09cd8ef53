/*
sentence: The shares of revenue, service time and visits of all service tiers of a month add up to 1 each.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: Otherwise a tier looks better or worse served than it is.
source: "requirement S03: shares end at 1"
subject: month
population: months
reads: [candidate.mart_service_resource_balance]
parameters: [tolerance]
*/
-- tested
with months as (
    select
        month_start_date,
        sum(share_of_revenue) as revenue,
        sum(share_of_service_hours) as service_hours,
        sum(share_of_visits) as visits
    from candidate.mart_service_resource_balance
    group by month_start_date
)

select
    {{ mart_row('mart_service_resource_balance', 'months', ['month_start_date']) }},
    shares.column_name,
    shares.total,
    quality.parameter('MART-15', 'tolerance', :business_date) as tolerance
from months
cross join lateral (
    values
    ('share_of_revenue', months.revenue),
    ('share_of_service_hours', months.service_hours),
    ('share_of_visits', months.visits)
) as shares (column_name, total)
where shares.total is not null
-- violations
select
    record_key,
    month_start_date as business_date,
    column_name,
    total::text as observed,
    '1' as expected
from tested
where abs(total - 1) > tolerance
