/*
sentence: A high-voltage contract states capacity, supply mode, boundary of ownership and metering.
axis: missing
dimension: completeness
severity: quarantine
owner: contract office
reason: Without them a charge, a loss or a fault cannot be assigned to a side.
source: project rule
subject: con_contract
quarantines: con_contract
not_tested: No high-voltage contract was delivered.
population: versions of high-voltage contracts
reads: [quality_placeholders, stg_contract__contracts, stg_contract__metering_annex_lines]
*/
-- tested
select
    {{ row_of('contracts') }},
    terms.column_name,
    terms.term,
    coalesce(terms.term, '') = '' or {{ is_listed('lower(terms.term)', 'staging.quality_placeholders', 'text') }} as is_blank
from staging.stg_contract__contracts as contracts
left join {{ one_each('staging.stg_contract__metering_annex_lines', 'contract_no, version', '*', 'count', name='lines') }} as annexes
    on contracts.contract_no = annexes.contract_no and contracts.version = annexes.version
cross join lateral (
    values
    ('contract_cap_kva', case when contracts.contract_capacity_kva > 0 then contracts.contract_capacity_kva || ' kVA' end),
    ('supply_mode', btrim(contracts.supply_mode_code)),
    ('property_boundary', btrim(contracts.property_boundary)),
    ('metering_point_cnt', annexes.lines || ' annex lines')
) as terms (column_name, term)
where contracts.kind_code = 'HV' and contracts.status_code <> 'DRAFT'
-- violations
select
    {{ finding(column_sql='column_name') }},
    coalesce(term, 'empty') as observed,
    case when column_name = 'metering_point_cnt' then 'a metering annex' else 'a term of the contract' end as expected
from tested
where is_blank
