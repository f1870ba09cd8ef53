/*
sentence: "The customer named in the contract is the customer of the account: the names agree after normalisation, or the credit codes do."
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A contract with somebody else does not bind the one who uses the power.
source: project rule
at_stake: "No money: a name has no price; who has to pay is in question."
likely_wrong: "Undetermined: no third record of the name is delivered, and the credit codes differ too."
subject: con_contract
not_tested: No account has both sides.
population: contracts in force
reads: [int_contracts_in_force, stg_marketing__customers]
compares:
  - marketing.mkt_customer.cons_name
  - contract.con_contract.party_b_name
  - marketing.mkt_customer.uscc
  - contract.con_contract.uscc
parameters: [similarity]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.customer_name as contract_name,
    customers.account_name as marketing_name,
    coalesce(
        upper(btrim(contracts.uscc)) = upper(btrim(customers.uscc)) and quality.uscc_is_valid(upper(btrim(customers.uscc))),
        false
    ) as has_same_uscc
from {{ contracts_in_force() }} as contracts
inner join staging.stg_marketing__customers as customers on contracts.account_no = customers.account_no
where contracts.customer_name is not null and customers.account_name is not null
-- violations
select
    {{ finding('party_b_name') }},
    contract_name as observed,
    marketing_name as expected
from tested
where not has_same_uscc and quality.name_similarity(contract_name, marketing_name) < :similarity
