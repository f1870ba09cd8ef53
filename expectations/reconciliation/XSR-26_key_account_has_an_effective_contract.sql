/*
sentence: Every key account has an effective contract.
axis: missing
dimension: completeness
severity: warn
owner: data quality office
reason: The largest customers are supplied on the terms of their contracts.
source: requirement S10; quarantine acts in the mart's dq_status, not on the customer. A second one in force breaks CON-01.
at_stake: "No money of its own: the bills without a contract are those of XSR-14."
likely_wrong: "Undetermined: what is absent is in the contract system."
subject: mkt_customer
not_tested: There is no key account, or no contract at all.
population: key accounts that are not closed
reads: [int_contracts_in_force, int_key_accounts, stg_contract__contracts, stg_marketing__customers]
compares: [marketing.mkt_customer.cons_no, contract.con_contract.cons_no]
*/
-- tested
select
    {{ row_of('customers') }},
    contracts.contract_no
from staging.stg_marketing__customers as customers
inner join staging.int_key_accounts as key_accounts on customers.account_no = key_accounts.account_no
left join {{ contracts_in_force() }} as contracts on customers.account_no = contracts.account_no
where
    key_accounts.is_key_account
    and customers.status_code <> 'CLOSED'
    and exists (
        select 1
        from staging.stg_contract__contracts
    )
-- violations
select
    {{ finding('cons_no') }},
    'no effective contract' as observed,
    'one' as expected
from tested
where contract_no is null
