/*
sentence: The dates of a customer are no defaults of a form or program and are between {earliest_yyyymmdd} and the business date.
axis: arbitrary
dimension: validity
severity: quarantine
owner: marketing office
reason: A default date passes for an age, a delay or a duration.
source: project rule; each date alone against a list, no test of chance
subject: mkt_customer
quarantines: mkt_customer
population: customers
reads: [quality_default_dates, stg_marketing__customers]
parameters: [earliest_yyyymmdd]
*/
-- tested
select
    {{ row_of('customers') }},
    dates.column_name,
    dates.date_given,
    {{ is_default_date('dates.date_given', "'mkt_customer.' || dates.column_name") }} as is_default,
    to_date(:earliest_yyyymmdd::text, 'YYYYMMDD') as earliest
from staging.stg_marketing__customers as customers
cross join lateral (
    values
    ('open_date', customers.open_date), ('connect_date', customers.connect_date), ('close_date', customers.close_date)
) as dates (column_name, date_given)
where dates.date_given is not null
-- violations
select
    {{ finding(column_sql='column_name') }},
    date_given::text as observed,
    'a real date from ' || earliest || ' to ' || :business_date as expected
from tested
where is_default or date_given < earliest or date_given > :business_date
