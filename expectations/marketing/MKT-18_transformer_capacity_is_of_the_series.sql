/*
sentence: The rated capacity of a transformer is one of the R10 series.
axis: arbitrary
dimension: validity
severity: warn
owner: marketing office
reason: A capacity that is not made was typed in.
source: seed quality_series; each capacity alone against a series, no test of chance
subject: mkt_transformer
not_tested: No transformer was delivered.
population: transformer states
reads: [quality_series, stg_marketing__transformers]
*/
-- tested
{{ numbers_listed('staging.stg_marketing__transformers', 'capacity_kva', 'staging.quality_series', 'transformer_kva') }}
-- violations
select
    {{ finding('cap_kva') }},
    capacity_kva || ' kVA' as observed,
    'a capacity of the R10 series' as expected
from tested
where not is_listed
