/*
sentence: The capacity in the contract equals the contract capacity of the customer within 0.5 kVA.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: One of the two is charged and the other agreed.
source: catalogue XSR-06
at_stake: Difference in kVA x what the last bill charged for a kVA, a month; 0 where the basic charge does not go by capacity.
likely_wrong: Two of contract, archive and connected transformers, else a signed amendment; not told where neither decides.
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

customers as (
    select account_no, max(contract_capacity_kva) as contract_capacity_kva
    from staging.stg_marketing__customers
    group by account_no
)

select
    {{ row_of('contracts_in_force') }},
    contracts_in_force.contract_capacity_kva as contract_kva,
    customers.contract_capacity_kva as marketing_kva,
    quality.parameter('XSR-06', 'tolerance_kva', :business_date) as tolerance_kva,
    last_billed.capacity_price_cny,
    terms.suspect_side,
    terms.told
from contracts_in_force
inner join customers on contracts_in_force.account_no = customers.account_no
left join staging.int_accounts_last_billed as last_billed on contracts_in_force.account_no = last_billed.account_no
left join (
    select account_no, suspect_side, told
    from staging.int_terms_compared
    where term_name = 'contract_cap_kva'
) as terms on contracts_in_force.account_no = terms.account_no
where contracts_in_force.contract_capacity_kva is not null and customers.contract_capacity_kva is not null
-- violations
select
    {{ finding('contract_cap_kva') }},
    contract_kva || ' kVA in the contract' as observed,
    marketing_kva || ' kVA in marketing' || coalesce('; ' || told, '') as expected,
    suspect_side,
    round(abs(contract_kva - marketing_kva) * capacity_price_cny, 2) as amount_at_stake_cny
from tested
where abs(contract_kva - marketing_kva) > tolerance_kva
