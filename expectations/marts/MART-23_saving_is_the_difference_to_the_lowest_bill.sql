/*
sentence: The saving of tariff advice is the recomputed bill less the lowest of the ways of paying, and never negative.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: An account would be told to pay more.
source: catalogue, mart-level rules
subject: account x month
population: months of an account with tariff advice
reads: [candidate.mart_tariff_advice]
*/
-- tested
select
    jsonb_build_object(
        'mart', 'mart_tariff_advice', 'account_no', advice.account_no, 'month_start_date', advice.month_start_date
    ) as record_key,
    advice.account_no,
    advice.month_start_date,
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
select
    record_key,
    account_no,
    month_start_date as business_date,
    'saving_cny' as column_name,
    coalesce(saving_cny::text, 'empty') as observed,
    difference_cny::text as expected,
    abs(saving_cny - difference_cny) as amount_at_stake_cny
from tested
where saving_cny is distinct from difference_cny
