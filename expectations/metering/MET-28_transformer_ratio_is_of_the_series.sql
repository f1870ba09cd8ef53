/*
sentence: A current transformer has a rated primary current of the standard series and 1 or 5 A on the secondary side; a point metered at low voltage has no voltage transformer.
axis: arbitrary
dimension: validity
severity: warn
owner: metering office
reason: A ratio that is not made was typed in wrong.
source: seed quality_series; each ratio alone against a series, no test of chance
subject: [met_it, met_measuring_point]
population: current transformers, and low-voltage points with a PT ratio
reads: [quality_series, stg_metering__instrument_transformers, stg_metering__measuring_points]
*/
-- tested
select
    transformers._raw_id as raw_id,
    'met_it'::text as table_name,
    'ratio_primary' as column_name,
    transformers.ratio_primary || '/' || transformers.ratio_secondary as ratio,
    {{ is_listed('transformers.ratio_primary', 'staging.quality_series', 'ct_primary_a', type='numeric') }}
    and {{ is_listed('transformers.ratio_secondary', 'staging.quality_series', 'ct_secondary_a', type='numeric') }} as is_standard
from staging.stg_metering__instrument_transformers as transformers
where transformers.kind_code = 'CT'
union all
select
    points._raw_id as raw_id,
    'met_measuring_point'::text as table_name,
    'pt_ratio' as column_name,
    points.metering_side_code || ' with PT ratio ' || trim_scale(points.pt_ratio) as ratio,
    points.pt_ratio = 1 as is_standard
from staging.stg_metering__measuring_points as points
where points.metering_side_code in ('HV_LV', 'LV_LV') and points.pt_ratio is not null
-- violations
select
    raw_id,
    table_name,
    column_name,
    ratio as observed,
    'a ratio of the standard series, PT ratio 1 at low voltage' as expected
from tested
where not is_standard
