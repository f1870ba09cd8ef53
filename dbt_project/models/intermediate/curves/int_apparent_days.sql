{{ config(tags=['as_delivered']) }}
{%- set day = business_date() -%}
{#- name, quantity, phase, ratio of the point by which primary values become secondary -#}
{%- set channels = [
    ('energy', 'E+', 'T', 'multiplier'), ('back', 'E-', 'T', 'multiplier'),
    ('q1', 'RQ1', 'T', 'multiplier'), ('q2', 'RQ2', 'T', 'multiplier'), ('q3', 'RQ3', 'T', 'multiplier'), ('q4', 'RQ4', 'T', 'multiplier'),
    ('ua', 'U', 'A', 'pt_ratio'), ('ub', 'U', 'B', 'pt_ratio'), ('uc', 'U', 'C', 'pt_ratio'),
    ('ia', 'I', 'A', 'ct_ratio'), ('ib', 'I', 'B', 'ct_ratio'), ('ic', 'I', 'C', 'ct_ratio')
] %}

-- The apparent power of a day by voltage and current beside that by active and reactive energy, in some slots of the day:
-- a current that is wrong is so for hours.
with days as (
    select * from {{ ref('int_point_days_touched') }}
),

latest as (
    select * from {{ ref('int_curves_latest') }}
),

points as (
    select * from {{ ref('int_points_scaled') }}
),

limits as materialized (
    select
        {{ rule_parameter('MET-52', 'low_share', day) }}::double precision as low_share,
        {{ rule_parameter('MET-52', 'high_share', day) }}::double precision as high_share,
        {{ rule_parameter('CURVE', 'least_current_a', day) }}::double precision as least_current_a,
        {{ rule_parameter('CURVE', 'sample_slots', day) }}::integer as sample_slots
),

-- The curves of a day side by side, with the factor by which each becomes secondary.
pivoted as (
    select
        days.metering_point_no,
        days.reading_date,
        {%- for name, quantity, phase, ratio in channels %}
        max(latest._raw_id) filter (where latest.quantity_code = '{{ quantity }}' and latest.phase_code = '{{ phase }}') as {{ name }}_raw_id,
        max(latest.values_by_slot) filter (where latest.quantity_code = '{{ quantity }}' and latest.phase_code = '{{ phase }}') as {{ name }}_slots,
        (
            max(case when latest.is_primary then 1 / nullif(points.{{ ratio }}, 0) else 1 end) filter (
                where latest.quantity_code = '{{ quantity }}' and latest.phase_code = '{{ phase }}'
            )
        )::double precision as {{ name }}_scale{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    inner join latest on days.metering_point_no = latest.metering_point_no and days.reading_date = latest.reading_date
    inner join points on days.metering_point_no = points.metering_point_no
    where latest.quantity_code in ('E+', 'E-', 'RQ1', 'RQ2', 'RQ3', 'RQ4', 'U', 'I')
    group by days.metering_point_no, days.reading_date
    having bool_or(latest.quantity_code = 'I') and bool_or(latest.quantity_code = 'E+')
),

phases as (
    select
        pivoted.metering_point_no,
        pivoted.reading_date,
        coalesce(pivoted.back_slots[sampled.slot_no], 0) as back,
        4 * sqrt(
            (pivoted.energy_slots[sampled.slot_no] * pivoted.energy_scale) ^ 2
            + (
                coalesce(pivoted.q1_slots[sampled.slot_no] * pivoted.q1_scale, 0)
                + coalesce(pivoted.q2_slots[sampled.slot_no] * pivoted.q2_scale, 0)
                - coalesce(pivoted.q3_slots[sampled.slot_no] * pivoted.q3_scale, 0)
                - coalesce(pivoted.q4_slots[sampled.slot_no] * pivoted.q4_scale, 0)
            ) ^ 2
        ) as expected,
        least(
            pivoted.ua_slots[sampled.slot_no] * pivoted.ua_scale,
            pivoted.ub_slots[sampled.slot_no] * pivoted.ub_scale,
            pivoted.uc_slots[sampled.slot_no] * pivoted.uc_scale
        ) * points.kva_of_va * limits.least_current_a as least_expected
        {%- for phase in 'abc' %},
        pivoted.u{{ phase }}_slots[sampled.slot_no] * pivoted.u{{ phase }}_scale
        * pivoted.i{{ phase }}_slots[sampled.slot_no] * pivoted.i{{ phase }}_scale * points.kva_of_va as phase_{{ phase }}
        {%- endfor %}
    from pivoted
    inner join points on pivoted.metering_point_no = points.metering_point_no
    cross join limits
    cross join lateral generate_series(limits.sample_slots, 96, limits.sample_slots) as sampled (slot_no)
),

-- Slots with load in one direction, with a voltage on all phases that have one.
judged as (
    select
        phases.*,
        (coalesce(phase_a, 0) + coalesce(phase_b, 0) + coalesce(phase_c, 0)) / num_nonnulls(phase_a, phase_b, phase_c) as apparent
    from phases
    where back = 0 and least_expected > 0 and expected >= least_expected and num_nonnulls(phase_a, phase_b, phase_c) > 0
),

counted as (
    select
        judged.metering_point_no,
        judged.reading_date,
        count(*)::integer as judged_slots,
        count(*) filter (where judged.apparent < limits.low_share * judged.expected)::integer as low_slots,
        count(*) filter (where judged.apparent > limits.high_share * judged.expected)::integer as high_slots
        {%- for phase in 'abc' %},
        -- exact, so that it does not depend on the order of the slots
        avg((judged.phase_{{ phase }} / judged.expected)::numeric)::double precision as share_{{ phase }}
        {%- endfor %}
    from judged
    cross join limits
    group by judged.metering_point_no, judged.reading_date
),

final as (
    select
        counted.*,
        pivoted.ia_raw_id,
        pivoted.ib_raw_id,
        pivoted.ic_raw_id
    from counted
    inner join pivoted on counted.metering_point_no = pivoted.metering_point_no and counted.reading_date = pivoted.reading_date
)

select * from final
