/*
sentence: The contract capacity of a customer is above zero and no placeholder such as 1 or 999.
axis: arbitrary
dimension: completeness
severity: quarantine
owner: marketing office
reason: Capacity charge, demand floor and every bound on load follow from it.
source: project rule; each capacity alone against a list, no test of chance
subject: mkt_customer
quarantines: mkt_customer
population: customers
reads: [quality_placeholders, stg_marketing__customers]
*/
-- tested
{{ numbers_listed('staging.stg_marketing__customers', 'contract_capacity_kva', 'staging.quality_placeholders', 'capacity') }}
-- violations
select
    {{ finding('contract_cap_kva') }},
    contract_capacity_kva || ' kVA' as observed,
    'a rated capacity above 0' as expected
from tested
where contract_capacity_kva <= 0 or is_listed
