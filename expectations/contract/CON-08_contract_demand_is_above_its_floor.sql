/*
sentence: A contract maximum demand is at least {floor_share} of the contract capacity.
axis: mismatch
dimension: consistency
severity: quarantine
owner: contract office
reason: Below the floor the demand charge is too low.
source: project rule
subject: con_contract
quarantines: con_contract
not_tested: No contract is charged by contract demand.
population: contract versions that are charged by contract demand
reads: [stg_contract__contracts]
parameters: [floor_share]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.contract_demand_kw,
    contracts.contract_capacity_kva * :floor_share as floor_kw
from staging.stg_contract__contracts as contracts
where
    contracts.basic_mode_code = 'BY_CONTRACT_MD'
    and contracts.contract_demand_kw is not null
    and contracts.contract_capacity_kva is not null
-- violations
select
    {{ finding('contract_md_kw') }},
    contract_demand_kw || ' kW' as observed,
    'at least ' || floor_kw || ' kW' as expected
from tested
where contract_demand_kw < floor_kw
