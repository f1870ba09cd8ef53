-- The ratios of a metering point in the three systems side by side, and where they differ, which of them is likely right
-- (XSR-28), by what, and what the wrong one makes of the energy.
with evidence as (
    select
        metering_point_no,
        ratio_code,
        ratio,
        sum(points) as points,
        trim_scale(ratio) || ': ' || string_agg(
            explanation || ' (' || trim_scale(points) || ')', ', ' order by points desc, evidence_code
        ) as explanation
    from {{ ref('int_ratio_evidence') }}
    group by metering_point_no, ratio_code, ratio
),

weighed as (
    select
        *,
        string_agg(explanation, '; ') over (
            partition by metering_point_no, ratio_code
            order by ratio
            rows between unbounded preceding and unbounded following
        ) as all_explanations
    from evidence
),

sides as (
    select
        ratios.metering_point_no,
        ratios.ratio_code,
        {%- for side in ['metering', 'marketing', 'contract'] %}
        max(ratios.ratio) filter (where ratios.system_name = '{{ side }}') as {{ side }}_ratio,
        max(evidence.points) filter (where ratios.system_name = '{{ side }}') as {{ side }}_points,
        {%- endfor %}
        max(evidence.all_explanations) as evidence_explanation
    from {{ ref('int_ratios_by_system') }} as ratios
    left join weighed as evidence
        on
            ratios.metering_point_no = evidence.metering_point_no
            and ratios.ratio_code = evidence.ratio_code
            and ratios.ratio = evidence.ratio
    group by ratios.metering_point_no, ratios.ratio_code
),

judged as (
    select
        *,
        coalesce(
            metering_ratio <> marketing_ratio or metering_ratio <> contract_ratio or marketing_ratio <> contract_ratio, false
        ) as differs,
        quality.likely_right(
            metering_ratio, marketing_ratio, contract_ratio, metering_points, marketing_points, contract_points
        ) as right_ratio
    from sides
),

-- The energy of a point is scaled by the product of both ratios. Each product is known where both of its ratios are.
products as (
    select
        *,
        {%- for side in ['right', 'marketing'] %}
        max({{ side }}_ratio) filter (where ratio_code = 'CT') over by_point
        * max({{ side }}_ratio) filter (where ratio_code = 'PT') over by_point as {{ side }}_product,
        {%- endfor %}
        count(*) filter (where marketing_ratio <> right_ratio) over by_point as ratios_billed_wrong
    from judged
    window by_point as (partition by metering_point_no)
),

shares as (
    select
        *,
        -- What was billed was billed with marketing's ratio: if that is the wrong one, the right bill differs by this share.
        -- Where both ratios are wrong it is that of their product, told once: with the CT, and zero with the PT.
        case
            when ratios_billed_wrong > 1 and ratio_code = 'PT' then 0
            when ratios_billed_wrong > 1 then abs(right_product / nullif(marketing_product, 0) - 1)
            when marketing_ratio <> right_ratio then abs(right_ratio / nullif(marketing_ratio, 0) - 1)
            when metering_ratio <> right_ratio then abs(metering_ratio / nullif(right_ratio, 0) - 1)
            when contract_ratio <> right_ratio then abs(contract_ratio / nullif(right_ratio, 0) - 1)
            else abs(metering_ratio / nullif(coalesce(marketing_ratio, contract_ratio), 0) - 1)
        end as share_at_stake,
        -- And this is what the wrong ratio makes of the right energy.
        abs(
            case
                when marketing_ratio <> right_ratio then marketing_ratio
                when metering_ratio <> right_ratio then metering_ratio
                else contract_ratio
            end / nullif(right_ratio, 0) - 1
        ) as share_off
    from products
),

final as (
    select
        metering_point_no,
        ratio_code,
        metering_ratio,
        marketing_ratio,
        contract_ratio,
        differs,
        right_ratio,
        case when differs then quality.suspect_side(right_ratio, metering_ratio, marketing_ratio, contract_ratio) end as suspect_side,
        case when differs then share_at_stake end as share_at_stake,
        'metering ' || coalesce(trim_scale(metering_ratio)::text, '-')
        || ', marketing ' || coalesce(trim_scale(marketing_ratio)::text, '-')
        || ', contract ' || coalesce(trim_scale(contract_ratio)::text, '-') as ratios_text,
        case
            when differs
                then coalesce(
                    ', likely ' || trim_scale(right_ratio)
                    || case
                        when metering_ratio = marketing_ratio or contract_ratio in (metering_ratio, marketing_ratio)
                            then ' as two of three say'
                        else ' by the evidence'
                    end
                    || ': ' || round(100 * share_off, 1) || ' % off', ''
                ) || coalesce('; ' || evidence_explanation, '')
        end as explanation
    from shares
)

select * from final
