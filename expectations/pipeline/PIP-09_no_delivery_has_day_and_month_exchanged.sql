/*
sentence: No delivery holds for three days or more what is true of the days with day and month exchanged.
axis: mismatch
dimension: consistency
severity: block
owner: data engineering
reason: A file whose dates were read the wrong way replaces good days by those of other months, and every value in it is plausible.
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
    case when loads.is_of_tonight then restated.exchanged else '[]' end as exchanged
from loads
left join quality.restatements as restated on loads.load_id = restated.load_id and restated.superseded_by is null
-- violations
select
    record_key,
    source_name,
    table_name,
    jsonb_array_length(exchanged) || ' days are those with day and month exchanged: '
    || (
        select string_agg(
            pair.value ->> 'delivered_for' || ' holds ' || (pair.value ->> 'is_of') || ' (' || (pair.value ->> 'rows') || ' rows)', ', '
            order by pair.ordinality
        )
        from jsonb_array_elements(exchanged) with ordinality as pair
    ) as observed,
    'each day under its own date; deliver these days and those that they are of with their true values, under the same name' as expected
from tested
where jsonb_array_length(exchanged) > 0
