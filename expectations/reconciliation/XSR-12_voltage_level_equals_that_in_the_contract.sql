/*
sentence: The voltage level in the contract is that of the customer in marketing.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Price, losses and limits depend on the voltage level.
source: catalogue XSR-12
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
    contracts_in_force._raw_id as raw_id,
    contracts_in_force.account_no,
    contracts_in_force.voltage_level_code as contract_level,
    customers.voltage_level_code as marketing_level
from contracts_in_force
inner join staging.stg_marketing__customers as customers on contracts_in_force.account_no = customers.account_no
-- A level outside the list has a finding of its own (MKT-13).
where customers.voltage_level_code ~ '^AC[0-9]+k?V$' and contracts_in_force.voltage_level_code ~ '^AC[0-9]+k?V$'
-- violations
select
    raw_id,
    account_no,
    'voltage_level' as column_name,
    contract_level || ' in the contract' as observed,
    marketing_level || ' in marketing' as expected
from tested
where contract_level <> marketing_level
