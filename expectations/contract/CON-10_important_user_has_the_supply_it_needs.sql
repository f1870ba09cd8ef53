/*
sentence: The contract of an important user has the supplies and the own generation of its class.
axis: mismatch
dimension: consistency
severity: warn
owner: contract office
reason: An outage at an important user endangers people or the state.
source: requirement S15; a better supply than the class needs is in order
subject: con_contract
not_tested: No important user has an effective contract.
population: effective contract versions of important users
reads: [stg_contract__contracts]
parameters: [security_factor]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.importance_code,
    contracts.supply_mode_code,
    coalesce(contracts.self_gen_kva, 0) as self_gen_kva,
    contracts.security_load_kva
from staging.stg_contract__contracts as contracts
where contracts.importance_code in ('SPECIAL', 'FIRST', 'SECOND') and contracts.status_code = 'EFFECTIVE'
-- violations
select
    {{ finding('supply_mode') }},
    importance_code || ' on ' || supply_mode_code || ', own generation ' || self_gen_kva || ' kVA' as observed,
    'the supplies of its importance class' as expected
from tested
where
    case importance_code
        when 'SPECIAL' then not (
            supply_mode_code = 'MULTI' or (supply_mode_code in ('DUAL_SOURCE', 'DUAL_CIRCUIT') and self_gen_kva > 0)
        )
        when 'FIRST' then supply_mode_code not in ('DUAL_SOURCE', 'MULTI')
        else
            supply_mode_code not in ('DUAL_CIRCUIT', 'DUAL_SOURCE', 'MULTI')
            or self_gen_kva < :security_factor * coalesce(security_load_kva, 0)
    end
