/*
sentence: The total of a bill is the sum of its charges within {tolerance_cny} yuan.
axis: mismatch
dimension: consistency
severity: quarantine
owner: marketing office
reason: A total that does not follow from its parts cannot be explained to the customer.
source: project rule
subject: mkt_bill
quarantines: mkt_bill
not_tested: No bill was delivered.
population: bills
reads: [stg_marketing__bills]
parameters: [tolerance_cny]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.billed_kwh,
    bills.total_charge_cny,
    coalesce(bills.basic_charge_cny, 0) + bills.energy_charge_cny + coalesce(bills.fund_charge_cny, 0)
    + coalesce(bills.line_loss_charge_cny, 0) + coalesce(bills.system_operation_charge_cny, 0)
    + coalesce(bills.power_factor_charge_cny, 0) as parts_cny
from staging.stg_marketing__bills as bills
where bills.total_charge_cny is not null and bills.energy_charge_cny is not null
-- violations
{{ amounts_that_differ('total_charge', 'total_charge_cny', 'parts_cny', ':tolerance_cny', day='bill_month', energy='billed_kwh') }}
