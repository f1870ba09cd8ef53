/*
sentence: Every bill of an account with contracts is for a month in which a signed contract is in force.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Power supplied without a contract in force has no agreed terms, and its bill is hard to collect.
source: project rule
at_stake: "Exposure: the whole bill. The error is unknown: nothing says what was agreed."
likely_wrong: "Undetermined: a contract that is absent or over contradicts no value of the bill."
subject: mkt_bill
not_tested: No billed account has a contract.
population: bills of accounts with contracts
reads: [int_contracts_in_force, stg_contract__contracts, stg_marketing__bills]
compares: [marketing.mkt_bill.bill_month, contract.con_contract.valid_from]
*/
-- tested
with covered as (
    select distinct bills._raw_id
    from staging.stg_marketing__bills as bills
    inner join staging.int_contracts_in_force as contracts
        on
            bills.account_no = contracts.account_no
            and contracts.signed_date is not null
            and contracts.valid_from < {{ next_month('bills.bill_month') }}
            and (contracts.valid_to is null or contracts.valid_to > bills.bill_month)
)

select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.billed_kwh,
    bills.total_charge_cny,
    covered._raw_id is not null as is_covered
from staging.stg_marketing__bills as bills
inner join {{ one_each('staging.stg_contract__contracts', 'account_no', '*', 'count', 'versions') }} as contracts
    on bills.account_no = contracts.account_no
left join covered on bills._raw_id = covered._raw_id
where bills.bill_month is not null and bills.status_code <> 'REVERSED'
-- violations
select
    {{ finding('bill_month', day='bill_month') }},
    to_char(bill_month, 'YYYYMM') as observed,
    'a signed contract in force in this month' as expected,
    billed_kwh as exposure_kwh,
    total_charge_cny as exposure_cny
from tested
where not is_covered
