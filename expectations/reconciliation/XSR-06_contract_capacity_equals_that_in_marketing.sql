/*
sentence: The capacity in the contract equals the contract capacity of the customer within {tolerance_kva} kVA.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: One of the two is charged and the other agreed.
source: project rule
at_stake: Difference in kVA x what the last bill charged for a kVA, a month; 0 where the basic charge does not go by capacity.
recurs: monthly
likely_wrong: Two of contract, archive and connected transformers, else a signed amendment; undetermined where neither decides.
subject: con_contract
not_tested: No account has both sides.
population: contracts in force
reads: [int_accounts_last_billed, int_terms_compared]
compares: [marketing.mkt_customer.contract_cap_kva, contract.con_contract.contract_cap_kva]
parameters: [tolerance_kva]
*/
-- tested
{{ term_of_accounts('contract_cap_kva', 'terms.difference is not null', ['capacity_price_cny']) }}
-- violations
select
    {{ finding('contract_cap_kva') }},
    contract_value || ' kVA in the contract' as observed,
    marketing_value || ' kVA in marketing' || coalesce('; ' || explanation, '') as expected,
    suspect_side,
    round(difference * capacity_price_cny, 2) as amount_at_stake_cny
from tested
where difference > :tolerance_kva
