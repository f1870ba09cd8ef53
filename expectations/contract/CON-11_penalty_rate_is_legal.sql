/*
sentence: The late payment penalty of a contract is 0.001, 0.002 or 0.003 a day.
axis: mismatch
dimension: validity
severity: quarantine
owner: contract office
reason: Another rate cannot be enforced.
source: 供电营业规则 (1996), article 98
subject: con_contract
quarantines: con_contract
not_tested: No contract states a penalty rate.
population: contract versions with a penalty rate
reads: [quality_series, stg_contract__contracts]
*/
-- tested
{{ numbers_listed('staging.stg_contract__contracts', 'penalty_rate', 'staging.quality_series', 'penalty_rate') }}
-- violations
select
    {{ finding('penalty_rate') }},
    trim_scale(penalty_rate)::text as observed,
    '0.001, 0.002 or 0.003' as expected
from tested
where not is_listed
