/*
sentence: The mobile number and e-mail address of a contact are neither placeholders nor fabricated sequences.
axis: arbitrary
dimension: validity
severity: warn
owner: marketing office
reason: A notice sent to such a number reaches nobody.
source: project rule; each contact alone against lists, no test of chance
subject: mkt_contact
not_tested: No contact has a mobile number or an e-mail address.
population: contacts with a mobile number or an e-mail address
reads: [quality_placeholders, stg_marketing__contacts, vault.clear_texts]
*/
-- tested
select
    {{ row_of('contacts') }},
    values_given.column_name,
    lower(values_given.value_text) in (
        select placeholders.value
        from staging.quality_placeholders as placeholders
        where placeholders.kind = values_given.column_name and {{ is_valid_on('placeholders', ':business_date') }}
    )
    or (values_given.column_name = 'mobile' and quality.is_made_up_number(values_given.value_text)) as is_placeholder
from staging.stg_marketing__contacts as contacts
cross join lateral (
    values
        ('mobile', quality.plain_phone({{ clear_text('contacts.mobile') }})),
        ('email', quality.plain_text({{ clear_text('contacts.email') }}))
) as values_given (column_name, value_text)
where values_given.value_text is not null
-- violations
select
    {{ finding(column_sql='column_name') }},
    'a placeholder' as observed,
    'a number or address of the contact' as expected
from tested
where is_placeholder
