/*
sentence: The tariff code in the contract is the one assigned in marketing in the last closed month.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The customer pays by another price than was agreed.
source: catalogue XSR-09
at_stake: "The last bill at the contract's prices less at the archive's; the whole bill where one of them is not in the price list. No kWh: the price is in question."
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
),

-- A sub-meter may have a tariff of its own; the contract states that of the main points.
assigned as (
    select
        assignments.account_no,
        array_agg(distinct assignments.tariff_code order by assignments.tariff_code) as tariff_codes
    from staging.stg_marketing__tariff_assignments as assignments
    inner join staging.stg_marketing__metering_points as points
        on
            assignments.metering_point_no = points.metering_point_no
            and points.role_code = 'BILLING'
            and points.parent_metering_point_no is null
            and {{ is_valid_on('points', last_month_end(':business_date')) }}
    where {{ is_valid_on('assignments', last_month_end(':business_date')) }}
    group by assignments.account_no
)

select
    {{ row_of('contracts_in_force') }},
    contracts_in_force.tariff_code,
    assigned.tariff_codes,
    last_billed.bill_total_cny,
    repriced.tariff_difference_cny,
    terms.suspect_side,
    terms.told
from contracts_in_force
inner join assigned on contracts_in_force.account_no = assigned.account_no
left join staging.int_accounts_last_billed as last_billed on contracts_in_force.account_no = last_billed.account_no
left join staging.int_terms_repriced as repriced on contracts_in_force.account_no = repriced.account_no
left join (
    select account_no, suspect_side, told
    from staging.int_terms_compared
    where term_name = 'tariff_code'
) as terms on contracts_in_force.account_no = terms.account_no
where contracts_in_force.tariff_code is not null
-- violations
select
    {{ finding('tariff_code') }},
    tariff_code || ' in the contract' as observed,
    array_to_string(tariff_codes, ', ') || ' in marketing'
    || case when tariff_difference_cny is null then '; not both in the price list: the last bill is at stake' else '' end
    || coalesce('; ' || told, '') as expected,
    suspect_side,
    coalesce(tariff_difference_cny, bill_total_cny) as amount_at_stake_cny
from tested
where array[tariff_code] <> tariff_codes
