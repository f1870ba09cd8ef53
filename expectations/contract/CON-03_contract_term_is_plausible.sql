/*
sentence: The term of a high-voltage contract is {least_years:words} to {most_years:words} years, and no default date ends a contract that does not renew itself.
axis: arbitrary
dimension: plausibility
severity: warn
owner: contract office
reason: A term of 99 years was not agreed, it was filled in.
source: project rule; each contract alone against fixed terms, no test of chance
subject: con_contract
not_tested: No high-voltage contract has an end.
population: versions of high-voltage contracts that have an end
reads: [quality_default_dates, stg_contract__contracts]
parameters: [least_years, most_years]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.valid_from,
    contracts.valid_to - 1 as last_day,
    contracts.is_auto_renewed,
    contracts.valid_from + make_interval(years => :least_years::integer) as earliest_end,
    contracts.valid_from + make_interval(years => :most_years::integer) as latest_end,
    {{ is_default_date('contracts.valid_to - 1') }} as is_default
from staging.stg_contract__contracts as contracts
-- An amended version ended with its amendment, not with its term.
where contracts.kind_code = 'HV' and contracts.status_code in ('SIGNED', 'EFFECTIVE') and contracts.valid_to is not null
-- violations
select
    {{ finding('valid_to') }},
    valid_from || ' to ' || last_day as observed,
    'a term of ' || extract(year from age(earliest_end, valid_from)) || ' to '
    || extract(year from age(latest_end, valid_from)) || ' years' as expected
from tested
where
    (is_default and not is_auto_renewed)
    or (not is_default and (last_day + 1 < earliest_end or last_day > latest_end))
