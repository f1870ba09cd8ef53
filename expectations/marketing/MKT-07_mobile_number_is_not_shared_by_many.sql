/*
sentence: One mobile number serves at most {customers:words} customers that have no payer in common.
axis: arbitrary
dimension: uniqueness
severity: warn
owner: marketing office
reason: A number shared by many is that of the clerk or of an agent.
source: project rule; each number alone, no test of chance, since five of 100,000 customers draw one of 7,000,000,000 numbers once in 10^16 utilities
subject: mkt_contact
not_tested: No mobile number was delivered.
population: contacts with a mobile number
reads: [stg_marketing__contacts, stg_marketing__settlement_accounts]
parameters: [customers]
*/
-- tested
select
    {{ row_of('contacts') }},
    shared.customers,
    shared.payers,
    :customers as customers_allowed
from staging.stg_marketing__contacts as contacts
inner join {{ shared_values('staging.stg_marketing__contacts', 'mobile') }} as shared
    on btrim(contacts.mobile) = shared.shared_value
-- violations
select
    {{ finding('mobile') }},
    'a number of ' || customers || ' customers' as observed,
    'at most ' || customers_allowed || ', or one payer' as expected
from tested
where customers > customers_allowed and payers > 1
