/*
sentence: The voltage level in the contract is that of the customer in marketing.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Price, losses and limits depend on the voltage level.
source: catalogue XSR-12
at_stake: "The whole last bill: no price list by voltage level is on record, and which part is wrong is not known."
likely_wrong: The level of the two that the meters' mean voltage fits; not told where they measure on the low side.
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
    contracts_in_force.voltage_level_code as contract_level,
    customers.voltage_level_code as marketing_level,
    measured.voltage_level_code as metering_level,
    measured.voltage_kv,
    last_billed.bill_kwh,
    last_billed.bill_total_cny
from contracts_in_force
inner join staging.stg_marketing__customers as customers on contracts_in_force.account_no = customers.account_no
left join staging.int_accounts_last_billed as last_billed on contracts_in_force.account_no = last_billed.account_no
left join staging.int_voltage_levels_measured as measured on contracts_in_force.account_no = measured.account_no
-- A level outside the list has a finding of its own (MKT-13).
where customers.voltage_level_code ~ '^AC[0-9]+k?V$' and contracts_in_force.voltage_level_code ~ '^AC[0-9]+k?V$'
-- violations
with judged as (
    select
        tested.*,
        quality.likely_right(metering_level, marketing_level, contract_level, null, null, null) as right_level
    from tested
    where contract_level <> marketing_level
)

select
    {{ finding('voltage_level') }},
    contract_level || ' in the contract' as observed,
    marketing_level || ' in marketing' || coalesce('; likely ' || right_level || ' by meters at ' || voltage_kv || ' kV', '') as expected,
    quality.suspect_side(right_level, metering_level, marketing_level, contract_level) as suspect_side,
    bill_kwh as energy_at_stake_kwh,
    bill_total_cny as amount_at_stake_cny
from judged
