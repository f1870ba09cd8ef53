/*
sentence: A slot that its flag says was not collected has no value.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: A value in such a slot was put there afterwards, and it counts as measured.
source: project rule. A slot without a value is MET-02, whatever its flag says.
subject: met_interval_96
not_tested: No curve with flags landed tonight.
population: curves with flags that landed
tests: touched rows
reads: [stg_metering__curves]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    filled.slots,
    filled.first_slot
from {{ touched_curves('staging.stg_metering__curves') }} as curves
left join lateral (
    select count(*) as slots, min(slots.slot_no) as first_slot
    from unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where
        -- Most curves have no such flag; they are not unfolded.
        strpos(curves.slot_flags, '0') > 0
        and substr(curves.slot_flags, slots.slot_no::integer, 1) = '0'
        and slots.slot_value is not null
) as filled on true
where curves.slot_flags is not null
-- violations
select
    {{ finding('point_flag', day='reading_date', account=false) }},
    slots || ' slots that were not collected have a value, from slot ' || first_slot as observed,
    'no value where the flag is 0' as expected
from tested
where slots > 0
