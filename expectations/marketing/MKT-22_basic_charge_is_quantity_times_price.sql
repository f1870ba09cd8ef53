/*
sentence: The basic charge of a bill is its quantity times its price, less the reduction for high use.
axis: mismatch
dimension: consistency
severity: quarantine
owner: marketing office
reason: A charge that does not follow from quantity and price cannot be explained.
source: project rule; worked example O7, parts are rounded before the sum
subject: mkt_bill
quarantines: mkt_bill
not_tested: No bill has a basic charge.
population: bills with a basic charge
reads: [stg_marketing__bill_lines, stg_marketing__bills]
parameters: [tolerance_cny_per_part]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.basic_charge_cny,
    bills.basic_quantity * bills.basic_price_cny - coalesce(bills.demand_discount_cny, 0) as computed_cny,
    :tolerance_cny_per_part * greatest(1, coalesce(parts.points, 0)) as tolerance_cny
from staging.stg_marketing__bills as bills
left join {{ one_each('staging.stg_marketing__bill_lines', 'bill_no', 'distinct metering_point_no', 'count', 'points') }} as parts
    on bills.bill_no = parts.bill_no
where bills.basic_quantity is not null and bills.basic_price_cny is not null and bills.basic_charge_cny is not null
-- violations
{{ amounts_that_differ('basic_charge', 'basic_charge_cny', 'computed_cny', 'tolerance_cny', day='bill_month') }}
