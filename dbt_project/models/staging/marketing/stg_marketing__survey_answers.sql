with source as (
    {{ newest_landed('marketing', 'mkt_survey') }}
),

renamed as (
    select
        -- ids
        survey_id,
        trim(cons_no) as account_no,
        trim(ticket_no) as ticket_no,
        trim(app_no) as application_no,
        trim(collector_no) as collector_no,

        -- codes and texts
        q_code as question_code,
        comment_text,

        -- numerics
        score,
        score_scale,

        -- timestamps
        answered_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
