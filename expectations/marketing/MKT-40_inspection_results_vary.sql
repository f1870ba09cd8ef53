/*
sentence: The result texts of an inspector vary within a month where there are {least_inspections} or more.
axis: arbitrary
dimension: plausibility
severity: warn
owner: marketing office
reason: The same sentence sixty times was written at a desk.
source: requirement S26; occupancy, where texts are drawn evenly from a third as many sentences as there are inspections and 20 or more are counted, at most 0.03 % of honest months are found
subject: inspector x month
about: mkt_inspection
not_tested: No inspector made 20 inspections in a month.
population: months of an inspector with enough inspections
reads: [stg_marketing__inspections]
parameters: [distinct_share, least_inspections]
*/
-- tested
select
    jsonb_build_object(
        'inspector_no', inspections.inspector_no, 'month', to_char(inspections.done_date, 'YYYYMM')
    ) as record_key,
    count(*) as inspections,
    count(distinct quality.normalised_name(inspections.result_text)) as texts,
    :distinct_share as distinct_share
from staging.stg_marketing__inspections as inspections
where inspections.inspector_no is not null and inspections.done_date is not null and inspections.result_text is not null
group by inspections.inspector_no, to_char(inspections.done_date, 'YYYYMM')
having count(*) >= :least_inspections
-- violations
select
    {{ finding('result_text', key='record_key', account=false) }},
    texts || ' texts in ' || inspections || ' inspections' as observed,
    'at least ' || round(100 * distinct_share) || ' % distinct' as expected
from tested
where texts < distinct_share * inspections
