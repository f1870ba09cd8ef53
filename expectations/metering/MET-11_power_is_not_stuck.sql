/*
sentence: Power does not stay at one value above zero for {slots} slots in a row.
axis: arbitrary
dimension: plausibility
severity: warn
owner: metering office
reason: A frozen value is a stuck register or a value filled in by hand.
source: project rule; each curve alone, no test of chance
subject: met_interval_96
not_tested: No curve landed tonight.
population: power curves
tests: touched rows
reads: [stg_metering__curves]
parameters: [slots]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    runs.slot_value,
    coalesce(runs.length, 0) as length
from {{ touched_curves('staging.stg_metering__curves') }} as curves
left join lateral (
    select islands.slot_value, count(*) as length
    from (
        select
            slots.slot_value,
            slots.slot_no - row_number() over (partition by slots.slot_value order by slots.slot_no) as island
        from unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
        where slots.slot_value <> 0
    ) as islands
    group by islands.slot_value, islands.island
    having count(*) >= :slots
    order by count(*) desc, islands.slot_value
    limit 1
) as runs on true
where curves.quantity_code = 'P' and curves.phase_code = 'T'
-- violations
select
    {{ finding('v1', day='reading_date', account=false) }},
    slot_value || ' in ' || length || ' slots' as observed,
    'fewer than ' || :slots || ' equal slots in a row' as expected
from tested
where length >= :slots
