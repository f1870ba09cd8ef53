/*
sentence: A month's bills without their basic charge are what energy, prices and power factor give, within {tolerance_cny} yuan.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: Advice by prices that are not the ones billed is worth nothing.
source: requirement S09
subject: account x month
not_tested: No bill has an energy charge of a known price.
population: months of an account with an energy charge of a known price
reads: [candidate.mart_tariff_advice]
parameters: [tolerance_cny]
*/
-- tested
select
    {{ mart_row('mart_tariff_advice', 'advice', ['account_no', 'month_start_date']) }},
    advice.billed_total_cny - advice.billed_basic_charge_cny as billed_cny,
    advice.total_charge_cny - advice.basic_charge_cny as computed_cny
from candidate.mart_tariff_advice as advice
where
    advice.usage_basis_code = 'BILL'
    and advice.total_charge_cny - advice.basic_charge_cny is not null
    and advice.billed_total_cny - advice.billed_basic_charge_cny is not null
-- violations
{{ amounts_that_differ('total_charge', 'billed_cny', 'computed_cny', ':tolerance_cny', day='month_start_date', key='record_key') }}
