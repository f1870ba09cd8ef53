/*
sentence: A payment refers to a bill that exists, or to none if it is paid in advance.
axis: mismatch
dimension: referential
severity: quarantine
owner: marketing office
reason: Money without a bill leaves the bill open.
source: project rule
subject: mkt_payment
quarantines: mkt_payment
not_tested: No payment names a bill.
population: payments that name a bill
reads: [stg_marketing__bills, stg_marketing__payments]
*/
-- tested
select
    payments._raw_id as raw_id,
    payments.bill_no,
    payments.amount_cny,
    bills.account_no,
    bills.bill_no is not null as has_bill
from staging.stg_marketing__payments as payments
left join {{ one_each('staging.stg_marketing__bills', 'bill_no', 'account_no') }} as bills
    on payments.bill_no = bills.bill_no
where payments.bill_no is not null
-- violations
select
    {{ finding('bill_no') }},
    bill_no as observed,
    'a bill that exists' as expected,
    amount_cny as exposure_cny
from tested
where not has_bill
