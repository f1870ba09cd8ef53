/*
sentence: The payments of a bill of the last {months} months do not exceed its total with its penalties.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: What was paid twice is owed to the customer. Of older bills the source may have put the penalties away.
source: project rule
subject: mkt_bill
not_tested: No bill of these months was paid.
population: paid bills of the months before the business date
tests: window
reads: [stg_marketing__bills, stg_marketing__payments, stg_marketing__penalties]
parameters: [months, tolerance_cny]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    payments.paid_cny,
    bills.total_charge_cny + coalesce(penalties.penalty_cny, 0) as due_cny
from staging.stg_marketing__bills as bills
inner join {{ one_each('staging.stg_marketing__payments', 'bill_no', 'amount_cny', 'sum', name='paid_cny') }} as payments
    on bills.bill_no = payments.bill_no
left join {{ one_each('staging.stg_marketing__penalties', 'bill_no', 'penalty_cny', 'sum') }} as penalties
    on bills.bill_no = penalties.bill_no
where bills.bill_month >= date_trunc('month', :business_date::timestamp) - make_interval(months => :months::integer)
-- violations
select
    {{ finding('total_charge', day='bill_month') }},
    paid_cny || ' paid' as observed,
    'at most ' || due_cny as expected,
    paid_cny - due_cny as amount_at_stake_cny
from tested
where paid_cny > due_cny + :tolerance_cny
