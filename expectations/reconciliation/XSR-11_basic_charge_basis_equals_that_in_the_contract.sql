/*
sentence: The basis of the basic charge and the contract demand in the contract are those assigned in marketing in the last closed month.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The basic charge is a large part of the revenue.
source: project rule
at_stake: "Basic charge of the last bill on the contract's basis less on the archive's, before the power factor adjustment. No kWh: the price is in question."
recurs: monthly
likely_wrong: Contract and bill against the archive, else a signed amendment; undetermined where the bill follows the archive it is made from.
subject: con_contract
quarantines: con_contract
not_tested: No account has both sides.
population: contracts in force with a tariff in marketing
reads: [int_terms_compared, int_terms_repriced]
compares:
  - marketing.mkt_tariff_assign.basic_mode
  - contract.con_contract.basic_mode
  - marketing.mkt_tariff_assign.contract_md_kw
  - contract.con_contract.contract_md_kw
*/
-- tested
{{ terms_of_contracts(['basic_mode', 'contract_md_kw'], 'basic_difference_cny') }}
-- violations
{{ terms_that_differ('basic_difference_cny') }}
