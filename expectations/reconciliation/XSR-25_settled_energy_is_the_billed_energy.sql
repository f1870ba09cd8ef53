/*
sentence: The energy settled with a trade agreement is the billed energy of the account within {relative}.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: The market and the utility would be paid for different energy.
source: project rule
at_stake: Difference in kWh; yuan at the average price of the month's bill.
likely_wrong: "Undetermined: XSR-17 compares the bill with the register, no third record the settlement."
subject: con_trade_settle
not_tested: No settled month is billed.
population: settled months that are billed
reads: [int_bills_priced, stg_contract__trade_agreements, stg_contract__trade_settlements, stg_marketing__bills]
compares: [marketing.mkt_bill.kwh_total, contract.con_trade_settle.actual_mwh]
parameters: [relative]
*/
-- tested
select
    {{ row_of('newest', account='agreements') }},
    newest.trade_month,
    newest.actual_mwh,
    bills.billed_kwh / 1000 as billed_mwh,
    priced.average_price_cny
from {{ newest_each('staging.stg_contract__trade_settlements', 'agreement_no, trade_month', first='version desc') }} as newest
inner join staging.stg_contract__trade_agreements as agreements on newest.agreement_no = agreements.agreement_no
inner join {{ one_each('staging.stg_marketing__bills', 'account_no, bill_month', 'billed_kwh', 'sum') }} as bills
    on agreements.account_no = bills.account_no and newest.trade_month = bills.bill_month
left join {{ one_each('staging.int_bills_priced', 'account_no, bill_month', 'average_price_cny', 'max') }} as priced
    on agreements.account_no = priced.account_no and newest.trade_month = priced.bill_month
where newest.actual_mwh is not null
-- violations
select
    {{ finding('actual_mwh', day='trade_month') }},
    actual_mwh || ' MWh settled' as observed,
    round(billed_mwh, 4) || ' MWh billed' as expected,
    abs(actual_mwh - billed_mwh) * 1000 as energy_at_stake_kwh,
    round(abs(actual_mwh - billed_mwh) * 1000 * average_price_cny, 2) as amount_at_stake_cny
from tested
where abs(actual_mwh - billed_mwh) > :relative * abs(billed_mwh)
