{%- set day = business_date() -%}
-- What speaks for a ratio where the systems differ (XSR-28). A piece of evidence speaks for a value, so for every system that
-- has it. The sum check is no physics test of a ratio: register and curve of a meter share it.
with compared as (
    select * from {{ ref('int_ratios_by_system') }}
),

differing as (
    select
        metering_point_no,
        ratio_code
    from compared
    group by metering_point_no, ratio_code
    having min(ratio) <> max(ratio)
),

candidates as (
    select
        compared.*,
        compared.is_bulk_edit is false
        and compared.source_updated_at
        = max(compared.source_updated_at) filter (where not compared.is_bulk_edit) over (
            partition by compared.metering_point_no, compared.ratio_code
        ) as is_newest
    from compared
    inner join differing using (metering_point_no, ratio_code)
),

points as (
    select distinct on (points.metering_point_no)
        points.*,
        customers.running_capacity_kva
    from {{ ref('int_metering_points_as_of') }} as points
    inner join (select distinct metering_point_no from differing) as disputed using (metering_point_no)
    left join {{ ref('stg_marketing__customers') }} as customers on points.account_no = customers.account_no
    where {{ is_valid_on('points', day) }}
    order by points.metering_point_no, points.valid_from desc, customers._raw_id desc
),

programmed as (
    select
        metering_point_no,
        max({{ local_date('started_at') }}) as programmed_date
    from {{ ref('stg_metering__event_alarms') }}
    where
        event_code = 'PROGRAM'
        and {{ local_date('started_at') }}
        between {{ day }} - {{ rule_parameter('XSR-28', 'program_event_days', day) }}::integer and {{ day }}
    group by metering_point_no
),

-- An inspector writes a ratio as it stands on the plate, 400/5 or 10000/100.
inspected as (
    select
        inspections.account_no,
        inspections.inspection_no,
        inspections.done_date,
        case
            when {{ is_listed('plates.sides[2]::numeric', ref('quality_series'), 'ct_secondary_a', day, 'numeric') }} then 'CT'
            else 'PT'
        end as ratio_code,
        plates.sides[1]::numeric / nullif(plates.sides[2]::numeric, 0) as ratio
    from {{ ref('stg_marketing__inspections') }} as inspections
    cross join lateral regexp_matches(inspections.result_text, '([0-9]+)/([0-9]+)', 'g') as plates (sides)
    where inspections.done_date between {{ day }} - {{ rule_parameter('XSR-28', 'inspection_days', day) }}::integer and {{ day }}
),

amended as (
    select
        account_no,
        amendment_no,
        signed_date,
        upper(left(field_name, 2)) as ratio_code,
        case when new_value ~ '^ *[0-9]+([.][0-9]+)? *$' then new_value::numeric end as ratio
    from {{ newest_amendments(ref('stg_contract__amendments'), ref('stg_contract__contracts'), day) }} as amendments
    where field_name in ('ct_ratio', 'pt_ratio')
),

work_orders as (
    select
        metering_point_no,
        min(work_order_no) as work_order_no
    from {{ ref('stg_marketing__meter_installations') }}
    where
        work_order_no is not null
        and install_date between {{ day }} - {{ rule_parameter('XSR-28', 'work_order_days', day) }}::integer and {{ day }}
        and (remove_date is null or {{ day }} < remove_date)
    group by metering_point_no
),

-- Highest power and mean voltage by the meter's own side of the transformers.
measured as (
    select
        points.metering_point_no,
        max((select max(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value)))
        filter (where curves.quantity_code = 'P' and curves.phase_code = 'T')::numeric as power_kw,
        avg(quality.slot_sum(curves.values_by_slot) / nullif(curves.collected_slots, 0))
        filter (where curves.quantity_code = 'U' and curves.phase_code = 'A') as voltage_v
    from points
    inner join {{ ref('int_curves_latest') }} as curves using (metering_point_no)
    where
        not curves.is_primary
        and curves.reading_date between {{ day }} - {{ rule_parameter('XSR-28', 'physics_days', day) }}::integer and {{ day }}
    group by points.metering_point_no
),

-- With one current ratio the load fits the transformers; with one voltage ratio the voltage is the supply's.
possible as (
    select
        candidates.metering_point_no,
        candidates.ratio_code,
        min(candidates.ratio) as ratio
    from candidates
    inner join points using (metering_point_no)
    inner join measured using (metering_point_no)
    where
        case candidates.ratio_code
            when 'CT'
                then measured.power_kw * candidates.ratio * points.pt_ratio
                    <= points.running_capacity_kva * {{ rule_parameter('MET-08', 'capacity_factor', day) }}
            else
                points.metering_side_code = 'HV_HV'
                and abs(
                    measured.voltage_v * case when points.wiring_code = '3P4W' then sqrt(3) else 1 end * candidates.ratio
                    / (1000 * substring(points.voltage_level_code from '^AC([0-9]+)kV$')::numeric) - 1
                ) <= {{ rule_parameter('XSR-28', 'voltage_band', day) }}
        end
    group by candidates.metering_point_no, candidates.ratio_code
    having count(distinct candidates.ratio) = 1
),

found as (
    select metering_point_no, ratio_code, ratio, 'program_event' as evidence_code, 'meter programmed ' || programmed_date as explanation
    from candidates inner join programmed using (metering_point_no)
    where system_name = 'metering'
    union
    select candidates.metering_point_no, ratio_code, ratio, 'inspection', 'inspection ' || inspection_no || ' of ' || done_date
    from candidates
    inner join points using (metering_point_no)
    inner join inspected using (account_no, ratio_code, ratio)
    union
    select candidates.metering_point_no, ratio_code, ratio, 'amendment', 'amendment ' || amendment_no || ' signed ' || signed_date
    from candidates
    inner join points using (metering_point_no)
    inner join amended using (account_no, ratio_code, ratio)
    union
    select metering_point_no, ratio_code, ratio, 'physics', case ratio_code when 'CT' then 'load' else 'voltage' end || ' fits this alone'
    from possible
    union
    select metering_point_no, ratio_code, ratio, 'work_order', 'work order ' || work_order_no
    from candidates inner join work_orders using (metering_point_no)
    where system_name = 'marketing'
    union
    select metering_point_no, ratio_code, ratio, 'recent_edit', 'edited last'
    from candidates
    where is_newest
    union
    select metering_point_no, ratio_code, ratio, 'bulk_edit', 'changed in bulk'
    from candidates
    where is_bulk_edit
),

final as (
    select
        found.metering_point_no,
        found.ratio_code,
        found.ratio,
        found.evidence_code,
        weights.value as points,
        max(found.explanation) as explanation
    from found
    inner join {{ ref('quality_parameters') }} as weights
        on
            weights.rule_id = 'XSR-28'
            and weights.name = found.evidence_code || '_points'
            and {{ is_valid_on('weights', day) }}
    group by found.metering_point_no, found.ratio_code, found.ratio, found.evidence_code, weights.value
)

select * from final
