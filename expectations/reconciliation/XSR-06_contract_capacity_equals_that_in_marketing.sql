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
select
    terms.contract_raw_id as raw_id,
    terms.account_no,
    terms.contract_value,
    terms.marketing_value,
    terms.difference as difference_kva,
    terms.suspect_side,
    terms.explanation,
    last_billed.capacity_price_cny,
    quality.parameter('XSR-06', 'tolerance_kva', :business_date) as tolerance_kva
from staging.int_terms_compared as terms
left join staging.int_accounts_last_billed as last_billed on terms.account_no = last_billed.account_no
where terms.term_name = 'contract_cap_kva' and terms.difference is not null
-- violations
select
    {{ finding('contract_cap_kva') }},
    contract_value || ' kVA in the contract' as observed,
    marketing_value || ' kVA in marketing' || coalesce('; ' || explanation, '') as expected,
    suspect_side,
    round(difference_kva * capacity_price_cny, 2) as amount_at_stake_cny
from tested
where difference_kva > tolerance_kva
