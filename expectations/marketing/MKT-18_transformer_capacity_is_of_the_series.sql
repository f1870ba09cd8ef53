/*
sentence: The rated capacity of a transformer is one of the R10 series.
axis: arbitrary
dimension: validity
severity: warn
owner: marketing office
reason: A capacity that is not made was typed in.
source: catalogue MKT-18; each capacity alone against a series, no test of chance
subject: mkt_transformer
not_tested: No transformer was delivered.
*/
-- tested
select
    {{ row_of('transformers') }},
    transformers.capacity_kva,
    transformers.capacity_kva in (
        select series.value::numeric
        from staging.quality_series as series
        where
            series.kind = 'transformer_kva'
            and series.valid_from <= :business_date
            and (series.valid_to is null or :business_date < series.valid_to)
    ) as is_standard
from staging.stg_marketing__transformers as transformers
where transformers.capacity_kva is not null
-- violations
select
    {{ finding('cap_kva') }},
    capacity_kva || ' kVA' as observed,
    'a capacity of the R10 series' as expected
from tested
where not is_standard
