/*
sentence: The interruptions that the gap counts for a month are those of the list of matched interruptions; a path lost is none.
axis: mismatch
dimension: completeness
severity: block
owner: data warehouse
reason: An interruption that only one side has is what the gap is about; none may be lost between the list and the count.
source: "requirement S28: outages_only_meter, outages_only_supply, matched_outages"
subject: month
population: months
reads: [candidate.mart_two_rates_gap, warehouse.dim_months, warehouse.fct_outages_matched]
*/
-- tested
with counted as (
    select month_start_date, sum(outages_only_meter + outages_only_supply + matched_outages) as outages
    from candidate.mart_two_rates_gap
    group by month_start_date
),

listed as (
    select months.month_start_date, count(*) as outages
    from warehouse.dim_months as months
    inner join warehouse.fct_outages_matched as matches
        on months.collected_from_date <= matches.started_date and matches.started_date < months.known_until_date
    where months.has_collection and matches.match_code <> 'PATH_LOST'
    group by months.month_start_date
)

select
    jsonb_build_object('mart', 'mart_two_rates_gap', 'month_start_date', month_start_date) as record_key,
    month_start_date,
    coalesce(counted.outages, 0) as counted_outages,
    coalesce(listed.outages, 0) as listed_outages
from counted
full outer join listed using (month_start_date)
-- violations
{{ values_that_differ('matched_outages', 'counted_outages', 'listed_outages', 'interruptions', day='month_start_date') }}
