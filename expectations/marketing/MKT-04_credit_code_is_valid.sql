/*
sentence: A unified social credit code has 18 characters, a right check character, and is not one digit repeated.
axis: arbitrary
dimension: validity
severity: quarantine
owner: marketing office
reason: With a wrong code the customer cannot be matched to the register of companies.
source: GB 32100-2015; each code alone, no test of chance
subject: mkt_customer
quarantines: mkt_customer
not_tested: No credit code was delivered.
population: customers with a credit code
reads: [int_key_accounts, stg_marketing__customers]
*/
-- tested
{{ credit_codes_given('staging.stg_marketing__customers') }}
-- violations
select
    {{ finding('uscc') }},
    uscc as observed,
    '18 characters with the check character of GB 32100' as expected,
    case when is_key_account then 'quarantine' else 'warn' end as severity
from tested
where not {{ is_credit_code('uscc') }}
