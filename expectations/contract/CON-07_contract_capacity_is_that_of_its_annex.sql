/*
sentence: The capacity of a contract is the sum of the transformers in its annex, without cold backups.
axis: mismatch
dimension: consistency
severity: warn
owner: contract office
reason: One of the two is charged.
source: project rule
subject: con_contract
not_tested: No contract has a transformer annex.
population: contract versions with a transformer annex
reads: [stg_contract__contracts, stg_contract__transformer_annex_lines]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.contract_capacity_kva,
    annexes.capacity_kva
from staging.stg_contract__contracts as contracts
inner join {{ one_each('staging.stg_contract__transformer_annex_lines', 'contract_no, version', 'capacity_kva', 'sum', where="duty_code <> 'COLD_BACKUP'") }} as annexes
    on contracts.contract_no = annexes.contract_no and contracts.version = annexes.version
where contracts.contract_capacity_kva is not null
-- violations
{{ values_that_differ('contract_cap_kva', 'contract_capacity_kva', 'capacity_kva', 'kVA', 'kVA in the annex', key='raw_id', account=true) }}
