/*
sentence: Of the contacts of an account that is not closed one is the first contact.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: Where nobody is called first, nobody is called in time.
source: project rule
subject: account
about: mkt_contact
not_tested: No account that is not closed has contacts.
population: accounts that are not closed and have contacts
reads: [stg_marketing__contacts, stg_marketing__customers]
*/
-- tested
select
    jsonb_build_object('cons_no', contacts.account_no) as record_key,
    contacts.account_no,
    count(*) as contacts,
    count(*) filter (where contacts.is_primary_contact) as first_contacts
from staging.stg_marketing__contacts as contacts
where contacts.account_no in (select account_no from staging.stg_marketing__customers where status_code <> 'CLOSED')
group by contacts.account_no
-- violations
select
    {{ finding('is_primary_contact', key='record_key') }},
    first_contacts || ' of ' || contacts || ' contacts' as observed,
    'one first contact' as expected
from tested
where first_contacts <> 1
