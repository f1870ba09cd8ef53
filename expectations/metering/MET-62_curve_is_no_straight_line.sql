/*
sentence: Energy and power of a day do not follow a straight line that rises or falls for {slots} slots, where they are marked as collected.
axis: arbitrary
dimension: plausibility
severity: warn
owner: metering office
reason: A load has noise; a line to the last digit was drawn between two readings.
source: project rule; each curve alone, no test of chance
subject: met_interval_96
not_tested: No curve of energy or power landed tonight.
population: curves of energy and power
tests: touched rows
reads: [stg_metering__curves]
parameters: [least_rise_digits, slots, tolerance_digits]
*/
-- tested
with limits as materialized (
    select
        :slots::integer as slots,
        :tolerance_digits::double precision as tolerance_digits,
        :least_rise_digits::double precision as least_rise_digits
),

curves as materialized (
    select
        curves._raw_id,
        curves.metering_point_no,
        curves.reading_date,
        curves.values_by_slot,
        curves.slot_flags,
        (
            select power(10::double precision, -max(scale(trim_scale(slots.slot_value::numeric))))
            from unnest(
                curves.values_by_slot[1:6] || curves.values_by_slot[25:30] || curves.values_by_slot[49:54] || curves.values_by_slot[73:78]
            ) as slots (slot_value)
        ) as last_digit
    from {{ touched_curves('staging.stg_metering__curves') }} as curves
    where curves.quantity_code in ('E+', 'P') and curves.phase_code = 'T'
),

-- A line bends nowhere, so not at two slots half its length apart either: all other curves are done with.
unbent as (
    select curves.*
    from curves
    cross join limits
    where exists (
        select 1
        from generate_series((limits.slots - 2) / 2, 95, (limits.slots - 2) / 2) as halves (slot_no)
        where
            greatest(
                abs(
                    curves.values_by_slot[halves.slot_no - 1] - 2 * curves.values_by_slot[halves.slot_no]
                    + curves.values_by_slot[halves.slot_no + 1]
                ),
                abs(
                    curves.values_by_slot[halves.slot_no - 1 + (limits.slots - 2) / 2]
                    - 2 * curves.values_by_slot[halves.slot_no + (limits.slots - 2) / 2]
                    + curves.values_by_slot[halves.slot_no + 1 + (limits.slots - 2) / 2]
                )
            ) <= 2 * limits.tolerance_digits * curves.last_digit
    )
),

-- A sign for each slot from the third on: 1 where it goes on from the two before it as they went, in the last digit.
bends as (
    select
        unbent.*,
        array_to_string(array(
            select case when abs(bent.a - 2 * bent.b + bent.c) <= 2 * limits.tolerance_digits * unbent.last_digit then '1' else '0' end
            from unnest(unbent.values_by_slot[3:], unbent.values_by_slot[2:], unbent.values_by_slot) as bent (a, b, c)
        ), '') as signs
    from unbent
    cross join limits
),

-- The first slot of each stretch that may be a line.
starts as materialized (
    select bends.*, starts.slot_no
    from bends
    cross join limits
    cross join lateral generate_series(1, length(bends.signs) - limits.slots + 1) as starts (slot_no)
    where
        bends.signs like '%' || repeat('1', limits.slots - 2) || '%'
        and substr(bends.signs, starts.slot_no, limits.slots - 2) = repeat('1', limits.slots - 2)
        and strpos(coalesce(substr(bends.slot_flags, starts.slot_no, limits.slots), ''), '0') = 0
),

straight as (
    select
        starts._raw_id,
        starts.metering_point_no,
        starts.reading_date,
        starts.slot_no,
        starts.values_by_slot[starts.slot_no] as first_value,
        starts.values_by_slot[starts.slot_no + limits.slots - 1] as last_value,
        abs(starts.values_by_slot[starts.slot_no + limits.slots - 1] - starts.values_by_slot[starts.slot_no])
        >= limits.least_rise_digits * starts.last_digit as is_steep
    from starts
    cross join limits
    where
        not exists (
            select 1
            from generate_series(0, limits.slots - 1) as steps (step_no)
            where
                abs(
                    starts.values_by_slot[starts.slot_no + steps.step_no]
                    - starts.values_by_slot[starts.slot_no]
                    - (starts.values_by_slot[starts.slot_no + limits.slots - 1] - starts.values_by_slot[starts.slot_no])
                    * steps.step_no / (limits.slots - 1)
                ) > limits.tolerance_digits * starts.last_digit
        )
),

-- A line may be too flat to be seen in the few digits of one of the two channels: the other tells of it.
lines as (
    select distinct on (straight._raw_id) straight._raw_id, straight.slot_no, straight.first_value, straight.last_value
    from straight
    inner join straight as steep
        on
            straight.metering_point_no = steep.metering_point_no
            and straight.reading_date = steep.reading_date
            and straight.slot_no = steep.slot_no
    where steep.is_steep and straight.first_value <> straight.last_value
    order by straight._raw_id, straight.slot_no
)

select
    curves._raw_id as raw_id,
    curves.reading_date,
    lines.slot_no,
    lines.first_value::numeric as first_value,
    lines.last_value::numeric as last_value,
    limits.slots
from curves
cross join limits
left join lines on curves._raw_id = lines._raw_id
-- violations
select
    {{ finding(column_sql="'v' || slot_no", day='reading_date', account=false) }},
    'a line from ' || first_value || ' to ' || last_value || ' in ' || slots || ' slots' as observed,
    'no straight line for ' || slots || ' slots' as expected
from tested
where slot_no is not null
