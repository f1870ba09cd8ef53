/*
sentence: An account number has one of the formats that the seed quality_formats states for it, with its zeros.
axis: mismatch
dimension: validity
severity: quarantine
owner: marketing office
reason: A spreadsheet turns long numbers into 1.23E+09 and drops leading zeros.
source: seed quality_formats
subject: mkt_customer
quarantines: mkt_customer
population: customers
reads: [quality_formats, stg_marketing__customers]
*/
-- tested
select
    {{ row_of('customers') }},
    customers.account_no !~ {{ format_pattern('account_no') }} as is_of_another_format,
    {{ format_in_words('account_no') }} as formats
from staging.stg_marketing__customers as customers
where nullif(customers.account_no, '') is not null
-- violations
select
    {{ finding('cons_no') }},
    account_no as observed,
    formats as expected
from tested
where is_of_another_format
