/*
sentence: A bill with negative energy or total names the bill that it reverses.
axis: mismatch
dimension: referential
severity: quarantine
owner: marketing office
reason: A negative bill without an origin is money given away.
source: project rule
subject: mkt_bill
quarantines: mkt_bill
not_tested: No bill is negative.
population: bills with negative energy or total
reads: [stg_marketing__bills]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.orig_bill_no,
    bills.total_charge_cny,
    originals.bill_no is not null as has_original
from staging.stg_marketing__bills as bills
left join {{ one_each('staging.stg_marketing__bills', 'bill_no', '*', 'count', 'copies') }} as originals on bills.orig_bill_no = originals.bill_no
where bills.billed_kwh < 0 or bills.total_charge_cny < 0
-- violations
select
    {{ finding('orig_bill_no', day='bill_month') }},
    coalesce(orig_bill_no, 'empty') as observed,
    'a bill that exists' as expected,
    abs(total_charge_cny) as exposure_cny
from tested
where not has_original
