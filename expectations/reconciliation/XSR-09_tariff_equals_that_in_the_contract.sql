/*
sentence: The tariff code in the contract is the one assigned in marketing in the last closed month.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The customer pays by another price than was agreed.
source: project rule
at_stake: "The last bill at the contract's prices less at the archive's; unknown where one of them is not in the price list. No kWh: the price is in question. Exposure: the whole bill."
recurs: monthly
likely_wrong: Contract and bill against the archive, else a signed amendment; undetermined where the bill follows the archive it is made from.
subject: con_contract
quarantines: con_contract
not_tested: No account has both sides.
population: contracts in force with a tariff in marketing
reads: [int_accounts_last_billed, int_terms_compared, int_terms_repriced]
compares: [marketing.mkt_tariff_assign.tariff_code, contract.con_contract.tariff_code]
*/
-- tested
select
    terms.*,
    last_billed.bill_total_cny
from ({{ terms_of_contracts(['tariff_code'], 'tariff_difference_cny') }}) as terms
left join staging.int_accounts_last_billed as last_billed on terms.account_no = last_billed.account_no
where terms.contract_terms is not null
-- violations
{% set unpriced = "case when tariff_difference_cny is null then '; not both in the price list: the error is unknown' else '' end" -%}
{{ terms_that_differ('tariff_difference_cny', unpriced, exposure='bill_total_cny') }}
