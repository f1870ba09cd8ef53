/*
sentence: The power factor standard in the contract is the one assigned in marketing in the last closed month.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The standard decides between a reward and a surcharge.
source: project rule
at_stake: "Base of the adjustment on the last bill x difference of the two percentages. No kWh: the price is in question."
recurs: monthly
likely_wrong: Contract and bill against the archive, else a signed amendment; undetermined where the bill follows the archive it is made from.
subject: con_contract
quarantines: con_contract
not_tested: No account has both sides.
population: contracts in force with a tariff in marketing
reads: [int_terms_compared, int_terms_repriced]
compares: [marketing.mkt_tariff_assign.pf_standard, contract.con_contract.pf_standard]
*/
-- tested
{{ terms_of_contracts(['pf_standard'], 'power_factor_difference_cny') }}
-- violations
{{ terms_that_differ('power_factor_difference_cny') }}
