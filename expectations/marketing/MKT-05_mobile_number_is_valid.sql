/*
sentence: A mobile number has eleven digits and begins with 13 to 19.
axis: arbitrary
dimension: validity
severity: warn
owner: marketing office
reason: A notice to another number does not arrive.
source: project rule; each number alone, no test of chance
subject: mkt_contact
not_tested: No mobile number was delivered.
population: contacts with a mobile number
reads: [stg_marketing__contacts]
*/
-- tested
select
    {{ row_of('contacts') }},
    btrim(contacts.mobile) ~ '^1[3-9][0-9]{9}$' as is_valid
from staging.stg_marketing__contacts as contacts
where nullif(btrim(contacts.mobile), '') is not null
-- violations
select
    {{ finding('mobile') }},
    'not a mobile number' as observed,
    '11 digits from 13 to 19' as expected
from tested
where not is_valid
