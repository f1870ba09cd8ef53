/*
sentence: The power factor standard in the contract is the one assigned in marketing in the last closed month.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The standard decides between a reward and a surcharge.
source: catalogue XSR-10
at_stake: "Base of the adjustment on the last bill x difference of the two percentages. No kWh: the price is in question."
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
    contracts_in_force.power_factor_standard_code as contract_standard,
    assignments.power_factor_standard_code as marketing_standard,
    repriced.power_factor_difference_cny,
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
    where term_name = 'pf_standard'
) as terms on contracts_in_force.account_no = terms.account_no
-- violations
select
    raw_id,
    min(account_no) as account_no,
    'pf_standard' as column_name,
    min(contract_standard || ' in the contract') as observed,
    min(marketing_standard || ' in marketing' || coalesce('; ' || told, '')) as expected,
    min(suspect_side) as suspect_side,
    max(power_factor_difference_cny) as amount_at_stake_cny
from tested
where contract_standard <> marketing_standard
group by raw_id
