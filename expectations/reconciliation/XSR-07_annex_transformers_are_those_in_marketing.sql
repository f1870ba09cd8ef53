/*
sentence: The transformers in the annex of a contract are, capacity by capacity, those of the customer in marketing.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A transformer in one file only is charged or supplied without an agreement.
source: project rule
at_stake: Difference of the sums in kVA x what the last bill charged for a kVA, a month; 0 where the basic charge does not go by capacity.
recurs: monthly
likely_wrong: "Undetermined: no third list of the transformers is delivered."
subject: con_contract
not_tested: No account has both sides.
population: contracts in force with a transformer annex and transformers in marketing
reads:
  - int_accounts_last_billed
  - int_contracts_in_force
  - stg_contract__transformer_annex_lines
  - stg_marketing__transformers
compares: [marketing.mkt_transformer.cap_kva, contract.con_transformer_annex.cap_kva]
*/
-- tested
with annexes as (
    select contract_no, version, array_agg(capacity_kva order by capacity_kva) as capacities, sum(capacity_kva) as capacity_kva
    from staging.stg_contract__transformer_annex_lines
    group by contract_no, version
),

transformers as (
    select account_no, array_agg(capacity_kva order by capacity_kva) as capacities, sum(capacity_kva) as capacity_kva
    from staging.stg_marketing__transformers
    where state_code <> 'REMOVED' and {{ is_in_period(':business_date', 'state_from', 'state_to') }}
    group by account_no
)

select
    {{ row_of('contracts') }},
    annexes.capacities as contract_capacities,
    transformers.capacities as marketing_capacities,
    abs(annexes.capacity_kva - transformers.capacity_kva) * last_billed.capacity_price_cny as difference_cny
from {{ contracts_in_force() }} as contracts
inner join annexes using (contract_no, version)
inner join transformers on contracts.account_no = transformers.account_no
left join staging.int_accounts_last_billed as last_billed on contracts.account_no = last_billed.account_no
-- violations
select
    {{ finding('contract_no') }},
    array_to_string(contract_capacities, ', ') || ' kVA in the annex' as observed,
    array_to_string(marketing_capacities, ', ') || ' kVA in marketing' as expected,
    round(difference_cny, 2) as amount_at_stake_cny
from tested
where contract_capacities <> marketing_capacities
