with source as (
    {{ newest_landed('marketing', 'mkt_outage_plan') }}
),

renamed as (
    select
        -- ids
        trim(plan_no) as plan_no,
        plan_version,
        trim(feeder_no) as feeder_no,
        trim(tg_no) as transformer_area_no,

        -- codes and texts
        kind as kind_code,
        status as status_code,
        reason as reason_text,

        -- timestamps
        planned_start as planned_start_at,
        planned_end as planned_end_at,
        actual_start as actual_start_at,
        actual_end as actual_end_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
