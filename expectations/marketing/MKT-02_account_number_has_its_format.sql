/*
sentence: An account number has 10 or 16 digits, with its zeros.
axis: mismatch
dimension: validity
severity: quarantine
owner: marketing office
reason: A spreadsheet turns long numbers into 1.23E+09 and drops leading zeros.
source: project rule
subject: mkt_customer
quarantines: mkt_customer
population: customers
reads: [stg_marketing__customers]
*/
-- tested
select
    {{ row_of('customers') }}
from staging.stg_marketing__customers as customers
where nullif(customers.account_no, '') is not null
-- violations
select
    {{ finding('cons_no') }},
    account_no as observed,
    '10 or 16 digits' as expected
from tested
where account_no !~ '^([0-9]{10}|[0-9]{16})$'
