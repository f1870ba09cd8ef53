with source as (
    {{ newest_landed('marketing', 'mkt_notification') }}
),

renamed as (
    select
        -- ids
        trim(message_no) as message_no,
        trim(cons_no) as account_no,

        -- codes and texts
        topic as topic_code,
        channel as channel_code,

        -- timestamps
        queued_at,
        sent_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
