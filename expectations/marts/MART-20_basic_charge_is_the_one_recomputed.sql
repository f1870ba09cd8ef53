/*
sentence: The basic charge of a month's bills is the one that capacity, demand, terms and prices give, within {tolerance_cny} yuan.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: The account is billed for a capacity, a demand or a price that is not its own, or the price list is not the one in force.
source: requirement S09; worked examples O7 and O8
subject: account x month
not_tested: No bill has a basic charge of a known price.
population: months of an account with a basic charge of a known price
reads: [candidate.mart_tariff_advice]
parameters: [tolerance_cny]
*/
-- tested
select
    {{ mart_row('mart_tariff_advice', 'advice', ['account_no', 'month_start_date']) }},
    advice.billed_basic_charge_cny,
    advice.basic_charge_cny
from candidate.mart_tariff_advice as advice
where advice.usage_basis_code = 'BILL' and advice.basic_charge_cny is not null and advice.billed_basic_charge_cny is not null
-- violations
{{ amounts_that_differ('basic_charge', 'billed_basic_charge_cny', 'basic_charge_cny', ':tolerance_cny', day='month_start_date', key='record_key') }}
