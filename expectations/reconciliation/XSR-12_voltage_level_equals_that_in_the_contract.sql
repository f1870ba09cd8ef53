/*
sentence: The voltage level in the contract is that of the customer in marketing.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Price, losses and limits depend on the voltage level.
source: project rule
at_stake: "Exposure: the whole last bill. The error is unknown: no price list by voltage level is on record."
likely_wrong: The level of the two that the meters' mean voltage fits, else a signed amendment; undetermined where neither decides.
subject: con_contract
not_tested: No account has both sides.
population: contracts in force whose voltage level is known on both sides
reads: [int_accounts_last_billed, int_terms_compared]
compares: [metering.met_interval_96.v1, marketing.mkt_customer.voltage_level, contract.con_contract.voltage_level]
*/
-- tested
-- A level outside the list has a finding of its own (MKT-13).
{%- set is_level = " ~ '^AC[0-9]+k?V$'" %}
{{ term_of_accounts(
    'voltage_level', 'terms.contract_value' ~ is_level ~ ' and terms.marketing_value' ~ is_level, ['bill_kwh', 'bill_total_cny']
) }}
-- violations
select
    {{ finding('voltage_level') }},
    contract_value || ' in the contract' as observed,
    marketing_value || ' in marketing' || coalesce('; ' || explanation, '') as expected,
    suspect_side,
    bill_kwh as exposure_kwh,
    bill_total_cny as exposure_cny
from tested
where contract_value <> marketing_value
