/*
sentence: A unified social credit code has 18 characters, a right check character, and is not one digit repeated.
axis: arbitrary
dimension: validity
severity: warn
owner: contract office
reason: With a wrong code the customer cannot be matched to the register of companies.
source: GB 32100-2015; each code alone, no test of chance
subject: con_contract
not_tested: No credit code was delivered.
population: credit codes of contract versions
reads: [int_key_accounts, stg_contract__contracts]
*/
-- tested
{{ credit_codes_given('staging.stg_contract__contracts') }}
-- violations
select
    {{ finding('uscc') }},
    uscc as observed,
    '18 characters with the check character of GB 32100' as expected
from tested
where not {{ is_credit_code('uscc') }}
