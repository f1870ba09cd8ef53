/*
sentence: The name of a customer has at least {characters:words} characters and is not a placeholder.
axis: arbitrary
dimension: completeness
severity: quarantine
owner: marketing office
reason: A name filled in to pass the form names nobody.
source: project rule; each name alone against a list, no test of chance
subject: mkt_customer
quarantines: mkt_customer
population: customers
reads: [quality_placeholders, stg_marketing__customers]
parameters: [characters]
*/
-- tested
select
    {{ row_of('customers') }},
    btrim(coalesce(customers.account_name, '')) as account_name,
    {{ is_listed('lower(btrim(customers.account_name))', 'staging.quality_placeholders', 'name') }} as is_placeholder
from staging.stg_marketing__customers as customers
-- violations
select
    {{ finding('cons_name') }},
    account_name as observed,
    'a name of at least ' || :characters || ' characters' as expected
from tested
where is_placeholder or char_length(account_name) < :characters
