/*
sentence: The capacity of an account's running transformers is at most that of its contract.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Capacity beyond the contract loads the feeder unplanned.
source: project rule
at_stake: "No money: what runs is what is charged; the feeder is loaded beyond what was planned."
likely_wrong: "Undetermined: the capacities are weighed in XSR-06."
subject: con_contract
not_tested: No account has both sides.
population: contracts in force with running transformers in marketing
reads: [int_contracts_in_force, stg_marketing__transformers]
compares: [marketing.mkt_transformer.cap_kva, contract.con_contract.contract_cap_kva]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.contract_capacity_kva,
    transformers.running_kva
from {{ contracts_in_force() }} as contracts
inner join {{ one_each(
    'staging.stg_marketing__transformers', 'account_no', 'capacity_kva', 'sum', 'running_kva',
    "state_code = 'RUN' and " ~ is_in_period(':business_date', 'state_from', 'state_to')
) }} as transformers on contracts.account_no = transformers.account_no
where contracts.contract_capacity_kva is not null
-- violations
select
    {{ finding('contract_cap_kva') }},
    running_kva || ' kVA running' as observed,
    'at most ' || contract_capacity_kva || ' kVA' as expected
from tested
where running_kva > contract_capacity_kva
