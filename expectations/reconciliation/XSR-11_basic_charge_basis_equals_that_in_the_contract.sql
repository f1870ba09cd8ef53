/*
sentence: The basis of the basic charge and the contract demand in the contract are those assigned in marketing in the last closed month.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The basic charge is a large part of the revenue.
source: catalogue XSR-11
at_stake: "Basic charge of the last bill on the contract's basis less on the archive's, before the power factor adjustment. No kWh: the price is in question."
likely_wrong: Contract and bill against the archive, else a signed amendment; not told where the bill follows the archive it is made from.
subject: con_contract
quarantines: con_contract
not_tested: No account has both sides.
*/
-- tested
with contracts_in_force as (
    select distinct on (contracts.account_no) contracts.*
    from staging.stg_contract__contracts as contracts
    where
        contracts.status_code = 'EFFECTIVE'
        and contracts.kind_code <> 'PROTOCOL'
        and contracts.valid_from <= {{ last_month_end(':business_date') }}
        and (contracts.valid_to is null or {{ last_month_end(':business_date') }} < contracts.valid_to or contracts.is_auto_renewed)
    order by contracts.account_no, contracts.valid_from desc, contracts.version desc, contracts._raw_id desc
)

select
    {{ row_of('contracts_in_force') }},
    contracts_in_force.basic_mode_code as contract_mode,
    assignments.basic_mode_code as marketing_mode,
    contracts_in_force.contract_demand_kw as contract_kw,
    assignments.contract_demand_kw as marketing_kw,
    repriced.basic_difference_cny,
    terms.suspect_side,
    terms.told
from contracts_in_force
inner join staging.stg_marketing__tariff_assignments as assignments
    on
        contracts_in_force.account_no = assignments.account_no
        and {{ is_valid_on('assignments', last_month_end(':business_date')) }}
inner join staging.stg_marketing__metering_points as points
    on
        assignments.metering_point_no = points.metering_point_no
        and points.role_code = 'BILLING'
        and points.parent_metering_point_no is null
        and {{ is_valid_on('points', last_month_end(':business_date')) }}
left join staging.int_terms_repriced as repriced on contracts_in_force.account_no = repriced.account_no
left join (
    select account_no, suspect_side, told
    from staging.int_terms_compared
    where term_name in ('basic_mode', 'contract_md_kw')
) as terms on contracts_in_force.account_no = terms.account_no
-- violations
select
    raw_id,
    min(account_no) as account_no,
    'basic_mode' as column_name,
    min(contract_mode || coalesce(' ' || contract_kw || ' kW', '') || ' in the contract') as observed,
    min(marketing_mode || coalesce(' ' || marketing_kw || ' kW', '') || ' in marketing' || coalesce('; ' || told, '')) as expected,
    min(suspect_side) as suspect_side,
    max(basic_difference_cny) as amount_at_stake_cny
from tested
where contract_mode <> marketing_mode or (contract_mode = 'BY_CONTRACT_MD' and contract_kw <> marketing_kw)
group by raw_id
