with answers as (
    select * from {{ ref('stg_marketing__survey_answers') }}
),

-- Scales differ between surveys: the best answer of a scale is 100, the worst 0.
final as (
    select distinct on (survey_id, question_code)
        survey_id,
        question_code,
        account_no,
        ticket_no,
        application_no,
        answered_at,
        (answered_at at time zone 'Asia/Shanghai')::date as answered_date,
        score,
        score_scale,
        ((score - 1)::numeric / nullif(score_scale - 1, 0) * 100)::numeric(7, 4) as score_pct
    from answers
    order by survey_id, question_code, _raw_id desc
)

select * from final
