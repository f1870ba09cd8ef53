/*
sentence: The running transformers of an account have no more capacity than its contract.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Capacity beyond the contract loads the feeder unplanned.
source: catalogue XSR-08
at_stake: "No money: what runs is what is charged; the feeder is loaded beyond what was planned."
likely_wrong: "Not told: the capacities are weighed in XSR-06."
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
),

transformers as (
    select account_no, sum(capacity_kva) as running_kva
    from staging.stg_marketing__transformers
    where state_code = 'RUN' and {{ is_in_period(':business_date', 'state_from', 'state_to') }}
    group by account_no
)

select
    {{ row_of('contracts_in_force') }},
    contracts_in_force.contract_capacity_kva,
    transformers.running_kva
from contracts_in_force
inner join transformers on contracts_in_force.account_no = transformers.account_no
where contracts_in_force.contract_capacity_kva is not null
-- violations
select
    {{ finding('contract_cap_kva') }},
    running_kva || ' kVA running' as observed,
    'at most ' || contract_capacity_kva || ' kVA' as expected
from tested
where running_kva > contract_capacity_kva
