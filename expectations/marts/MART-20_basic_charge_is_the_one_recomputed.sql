/*
sentence: The basic charge of a month's bills is the one that capacity, demand, terms and prices give, within {tolerance_cny} yuan.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: The account is billed for a capacity, a demand or a price that is not its own, or the price list is not the one in force.
source: catalogue, mart-level rules; oracles O7 and O8
subject: account x month
not_tested: No bill has a basic charge of a known price.
population: months of an account with a basic charge of a known price
reads: [candidate.mart_tariff_advice]
parameters: [tolerance_cny]
*/
-- tested
select
    jsonb_build_object(
        'mart', 'mart_tariff_advice', 'account_no', advice.account_no, 'month_start_date', advice.month_start_date
    ) as record_key,
    advice.account_no,
    advice.month_start_date,
    advice.billed_basic_charge_cny,
    advice.basic_charge_cny,
    quality.parameter('MART-20', 'tolerance_cny', :business_date) as tolerance_cny
from candidate.mart_tariff_advice as advice
where advice.usage_basis_code = 'BILL' and advice.basic_charge_cny is not null and advice.billed_basic_charge_cny is not null
-- violations
select
    record_key,
    account_no,
    month_start_date as business_date,
    'basic_charge' as column_name,
    billed_basic_charge_cny::text as observed,
    basic_charge_cny::text as expected,
    abs(billed_basic_charge_cny - basic_charge_cny) as amount_at_stake_cny
from tested
where abs(billed_basic_charge_cny - basic_charge_cny) > tolerance_cny
