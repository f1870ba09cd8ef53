/*
sentence: The power factor charge is its base times its percentage within {tolerance_cny} yuan.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: The amount must follow from the two numbers printed beside it.
source: (83) 水电财字第215号; worked example O7
subject: mkt_bill
not_tested: No bill has a power factor charge.
population: bills with a power factor charge
reads: [stg_marketing__bills]
parameters: [tolerance_cny]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.power_factor_charge_cny,
    bills.power_factor_adjustment_base_cny * bills.power_factor_adjustment_pct / 100 as computed_cny
from staging.stg_marketing__bills as bills
where bills.power_factor_charge_cny is not null
    and bills.power_factor_adjustment_base_cny is not null
    and bills.power_factor_adjustment_pct is not null
-- violations
{{ amounts_that_differ('pf_adj_charge', 'power_factor_charge_cny', 'computed_cny', ':tolerance_cny', day='bill_month') }}
