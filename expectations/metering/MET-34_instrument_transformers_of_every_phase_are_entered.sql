/*
sentence: A metering point with instrument transformers of a kind has one in force for every phase of its wiring.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: The ratio of a phase without a transformer cannot be checked.
source: project rule; 3P3W measures phases A and C, 3P4W all three
subject: metering point x kind of transformer
about: met_it
not_tested: No metering point has instrument transformers.
population: metering points and kinds of instrument transformer in force
reads: [int_metering_points_current, stg_metering__instrument_transformers]
*/
-- tested
select
    jsonb_build_object('mp_no', points.metering_point_no, 'kind', transformers.kind_code) as record_key,
    points.account_no,
    points.wiring_code,
    case points.wiring_code when '3P3W' then array['A', 'C'] when '3P4W' then array['A', 'B', 'C'] end as needed_phases,
    array_agg(distinct transformers.phase_code order by transformers.phase_code) as phases
from staging.int_metering_points_current as points
inner join staging.stg_metering__instrument_transformers as transformers
    on points.metering_point_no = transformers.metering_point_no and {{ is_valid_on('transformers', ':business_date') }}
where points.wiring_code in ('3P3W', '3P4W')
group by points.metering_point_no, points.account_no, points.wiring_code, transformers.kind_code
-- violations
select
    {{ finding('phase', key='record_key') }},
    'of ' || array_to_string(phases, ', ') as observed,
    'of ' || array_to_string(needed_phases, ', ') || ' at ' || wiring_code as expected
from tested
where not phases @> needed_phases
