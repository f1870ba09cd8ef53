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
select
    {{ mart_row('mart_service_resource_balance', 'tiers', ['month_start_date']) }},
    shares.column_name,
    sum(shares.share) as total
from candidate.mart_service_resource_balance as tiers
cross join lateral (
    values
    ('share_of_revenue', tiers.share_of_revenue),
    ('share_of_service_hours', tiers.share_of_service_hours),
    ('share_of_visits', tiers.share_of_visits)
) as shares (column_name, share)
group by tiers.month_start_date, shares.column_name
having sum(shares.share) is not null
-- violations
select
    {{ finding(column_sql='column_name', day='month_start_date', key='record_key', account=false) }},
    total::text as observed,
    '1' as expected
from tested
where abs(total - 1) > :tolerance
