with source as (
    {{ newest_landed('marketing', 'mkt_outage_notice') }}
),

renamed as (
    select
        -- ids
        notice_id,
        trim(plan_no) as plan_no,
        plan_version,
        trim(cons_no) as account_no,
        trim(operator_no) as operator_no,

        -- codes and texts
        channel as channel_code,
        confirmed_by as confirmed_by_name,

        -- timestamps
        planned_start as planned_start_at,
        sent_at,
        delivered_at,
        confirmed_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
