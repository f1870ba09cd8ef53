/*
sentence: A mobile number has eleven digits and begins with 13 to 19.
axis: arbitrary
dimension: validity
severity: warn
owner: marketing office
reason: A notice to another number does not arrive.
source: seed quality_formats; a number is judged as it is dialled inside the country, however it is spelled; each number alone, no test of chance
subject: mkt_contact
not_tested: No mobile number was delivered.
population: contacts with a mobile number
reads: [quality_formats, stg_marketing__contacts, vault.clear_texts]
*/
-- tested
select
    {{ row_of('contacts') }},
    quality.plain_phone({{ clear_text('contacts.mobile') }}) ~ {{ format_pattern('mobile_number') }} as is_valid,
    {{ format_in_words('mobile_number') }} as formats
from staging.stg_marketing__contacts as contacts
where nullif(btrim(contacts.mobile), '') is not null
-- violations
select
    {{ finding('mobile') }},
    'not a mobile number' as observed,
    formats as expected
from tested
where not is_valid
