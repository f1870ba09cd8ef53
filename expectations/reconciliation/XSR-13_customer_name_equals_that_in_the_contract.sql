/*
sentence: "The customer named in the contract is the customer of the account: the names agree after normalisation, or the credit codes do."
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A contract with somebody else does not bind the one who uses the power.
source: catalogue XSR-13
at_stake: "No money: a name has no price; who has to pay is in question."
likely_wrong: "Not told: no third record of the name is delivered, and the credit codes differ too."
subject: con_contract
not_tested: No account has both sides.
*/
-- tested
with contracts_in_force as (
    select distinct on (contracts.account_no) contracts.*
    from staging.stg_contract__contracts as contracts
    where
        contracts.status_code = 'EFFECTIVE'
        and contracts.kind_code <> 'PROTOCOL'
        and contracts.valid_from <= :business_date
        and (contracts.valid_to is null or :business_date < contracts.valid_to or contracts.is_auto_renewed)
    order by contracts.account_no, contracts.valid_from desc, contracts.version desc, contracts._raw_id desc
)

select
    {{ row_of('contracts_in_force') }},
    contracts_in_force.customer_name as contract_name,
    customers.account_name as marketing_name,
    coalesce(
        upper(btrim(contracts_in_force.uscc)) = upper(btrim(customers.uscc)) and quality.uscc_is_valid(upper(btrim(customers.uscc))),
        false
    ) as has_same_uscc,
    quality.parameter('XSR-13', 'similarity', :business_date) as similarity_needed
from contracts_in_force
inner join staging.stg_marketing__customers as customers on contracts_in_force.account_no = customers.account_no
where contracts_in_force.customer_name is not null and customers.account_name is not null
-- violations
select
    {{ finding('party_b_name') }},
    contract_name as observed,
    marketing_name as expected
from tested
where not has_same_uscc and quality.name_similarity(contract_name, marketing_name) < similarity_needed
