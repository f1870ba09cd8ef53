/*
sentence: No delivery replaces an unusual share of the rows in force of the days, or of the table, that it covers.
axis: mismatch
dimension: consistency
severity: warn
owner: data engineering
reason: History that changes in bulk is a correction that somebody knows of, or a mistake of whoever wrote the file.
source: seed delivery_limits
subject: delivery
not_tested: Nothing landed since the last night.
population: deliveries that landed since the last published night
reads: [quality.receipts, quality.restatements, quality.runs]
*/
-- tested
{{ loads_of_tonight() }}

select
    jsonb_build_object('table', loads.table_name, 'load_id', loads.load_id) as record_key,
    loads.source_name,
    loads.table_name,
    loads.is_of_tonight and coalesce(restated.is_unusual, false) as is_unusual,
    restated.in_force_rows,
    restated.replaced_rows,
    restated.days,
    restated.first_day,
    restated.last_day,
    restated.pairs
from loads
left join quality.restatements as restated on loads.load_id = restated.load_id and restated.superseded_by is null
-- violations
select
    record_key,
    source_name,
    table_name,
    replaced_rows || ' of ' || in_force_rows || ' rows in force were replaced'
    || coalesce(', on ' || case days when 1 then first_day::text else days || ' days between ' || first_day || ' and ' || last_day end, '')
    || ': '
    || (
        select string_agg(
            (pair.value -> 'key')::text || ' ' || coalesce(pair.value ->> 'column' || ' ', '')
            || coalesce(pair.value ->> 'old', 'nothing') || ' became ' || coalesce(pair.value ->> 'new', 'nothing'), '; '
            order by pair.ordinality
        )
        from jsonb_array_elements(pairs) with ordinality as pair
    ) as observed,
    'a correction that the source knows of' as expected
from tested
where is_unusual
