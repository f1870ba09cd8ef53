/*
sentence: The voltages of the three phases are balanced within {limit_pct} of negative sequence in {share_within} of the valid slots of a day.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: An unbalance that lasts is a fault of the supply or a lost phase of the meter's voltage circuit.
source: GB/T 15543-2008. In 3P3W wiring two line voltages are metered, which do not tell the third.
subject: metering point x day
about: met_interval_96
not_tested: No meter in 3P4W wiring delivered the voltages of its three phases.
population: days of a 3P4W metering point with voltages of all three phases
tests: touched points
touched_by: [met_interval_96]
reads: [int_curves_latest, int_metering_points_current, stg_metering__curves]
parameters: [limit_pct, share_within]
*/
-- tested
with most as materialized (
    select (3 - ((1 - (:limit_pct / 100) ^ 2) / (1 + (:limit_pct / 100) ^ 2)) ^ 2)::double precision / 6 as ratio
),

days as materialized (
    select distinct curves.metering_point_no, curves.reading_date, points.account_no
    from {{ touched_curves('staging.int_curves_latest') }} as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    where curves.quantity_code = 'U' and points.wiring_code = '3P4W'
),

-- Squares of the line voltages, from phase voltages that stand 120 degrees apart.
squares as (
    select
        days.metering_point_no,
        days.reading_date,
        days.account_no,
        slots.a_v * slots.a_v + slots.b_v * slots.b_v + slots.a_v * slots.b_v as ab,
        slots.b_v * slots.b_v + slots.c_v * slots.c_v + slots.b_v * slots.c_v as bc,
        slots.c_v * slots.c_v + slots.a_v * slots.a_v + slots.c_v * slots.a_v as ca
    from days
    inner join {{ curves_of_dates_touched() }} as phase_a on {{ is_curve_of('phase_a', 'days', 'U', 'A') }}
    inner join {{ curves_of_dates_touched() }} as phase_b on {{ is_curve_of('phase_b', 'days', 'U', 'B') }}
    inner join {{ curves_of_dates_touched() }} as phase_c on {{ is_curve_of('phase_c', 'days', 'U', 'C') }}
    cross join lateral unnest(phase_a.values_by_slot, phase_b.values_by_slot, phase_c.values_by_slot) as slots (a_v, b_v, c_v)
    where slots.a_v > 0 and slots.b_v > 0 and slots.c_v > 0
),

-- The unbalance grows with this ratio alone (L of GB/T 15543, annex A): it is compared slot by slot, the roots are drawn once.
ratios as (
    select metering_point_no, reading_date, account_no, (ab * ab + bc * bc + ca * ca) / (ab + bc + ca) ^ 2 as ratio
    from squares
),

counted as (
    select
        ratios.metering_point_no,
        ratios.reading_date,
        ratios.account_no,
        count(*) as valid_slots,
        count(*) filter (where ratios.ratio <= most.ratio) as slots_within,
        sqrt(greatest(3 - 6 * max(ratios.ratio), 0)) as lowest_root
    from ratios
    cross join most
    group by ratios.metering_point_no, ratios.reading_date, ratios.account_no
)

select
    jsonb_build_object('mp_no', metering_point_no, 'data_date', reading_date) as record_key,
    account_no,
    reading_date,
    valid_slots,
    slots_within,
    (100 * sqrt(greatest(1 - lowest_root, 0) / (1 + lowest_root)))::numeric as highest_pct
from counted
-- violations
select
    {{ finding('v1', day='reading_date', key='record_key') }},
    slots_within || ' of ' || valid_slots || ' slots within, up to ' || round(highest_pct, 2) || ' %' as observed,
    round(100 * :share_within) || ' % of the slots within ' || round(:limit_pct, 2) || ' %' as expected
from tested
where slots_within < :share_within * valid_slots
