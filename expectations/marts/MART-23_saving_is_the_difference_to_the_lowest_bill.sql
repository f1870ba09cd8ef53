/*
sentence: The saving of tariff advice is the recomputed bill less the lowest of the ways of paying, and never negative.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: An account would be told to pay more.
source: requirement S25
subject: account x month
population: months of an account with tariff advice
reads: [candidate.mart_tariff_advice]
*/
-- tested
select
    {{ mart_row('mart_tariff_advice', 'advice', ['account_no', 'month_start_date']) }},
    advice.saving_cny,
    advice.total_charge_cny - least(
        advice.total_charge_cny,
        advice.single_part_total_cny,
        advice.capacity_total_cny,
        advice.contract_demand_total_cny,
        advice.actual_demand_total_cny
    ) as difference_cny
from candidate.mart_tariff_advice as advice
where advice.total_charge_cny is not null
-- violations
{{ amounts_that_differ('saving_cny', 'saving_cny', 'difference_cny', day='month_start_date', key='record_key') }}
