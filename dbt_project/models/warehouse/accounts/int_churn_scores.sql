with factors as (
    select * from {{ ref('int_churn_factors') }}
),

months as (
    select * from {{ ref('dim_months') }}
),

points as (
    select * from {{ ref('churn_points') }}
),

contributions as (
    select
        factors.account_no,
        factors.month_start_date,
        factors.factor_code,
        points.question_code,
        -- who comes back leaves nothing
        coalesce(points.question_code, '') <> 'RETURN' as is_leaving,
        coalesce(points.points, 0) as points
    from factors
    inner join months on factors.month_start_date = months.month_start_date
    left join points
        on
            factors.factor_code = points.factor_code
            and {{ is_valid_on('points', 'months.report_date') }}
            and (points.value_from is null or points.value_from <= factors.factor_value)
            and (points.value_below is null or factors.factor_value < points.value_below)
            and factors.factor_value is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by account_no, month_start_date, is_leaving
            order by points desc nulls last, factor_code
        ) as contribution_no,
        row_number() over (
            partition by account_no, month_start_date, question_code
            order by points desc nulls last, factor_code
        ) as question_no
    from contributions
),

final as (
    select
        account_no,
        month_start_date,
        coalesce(sum(points) filter (where is_leaving), 0)::numeric(6, 2) as churn_score,
        {%- for question, name in [('AGENCY', 'leaves_agency'), ('GRID', 'leaves_grid'), ('RETURN', 'returns')] %}
        coalesce(sum(points) filter (where question_code = '{{ question }}'), 0)::numeric(6, 2) as {{ name }}_score,
        string_agg(factor_code || ' ' || round(points), ', ' order by points desc, factor_code)
            filter (where question_code = '{{ question }}' and points > 0 and question_no <= 3) as {{ name }}_drivers,
        {%- endfor %}
        max(factor_code) filter (where is_leaving and contribution_no = 1 and points > 0) as churn_driver_1,
        (max(points) filter (where is_leaving and contribution_no = 1 and points > 0))::numeric(6, 2) as churn_driver_1_points,
        max(factor_code) filter (where is_leaving and contribution_no = 2 and points > 0) as churn_driver_2,
        (max(points) filter (where is_leaving and contribution_no = 2 and points > 0))::numeric(6, 2) as churn_driver_2_points,
        max(factor_code) filter (where is_leaving and contribution_no = 3 and points > 0) as churn_driver_3,
        (max(points) filter (where is_leaving and contribution_no = 3 and points > 0))::numeric(6, 2) as churn_driver_3_points
    from ranked
    group by account_no, month_start_date
)

select * from final
