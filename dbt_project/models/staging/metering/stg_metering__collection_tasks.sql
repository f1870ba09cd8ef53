with source as (
    {{ newest_landed('metering', 'met_collect_task') }}
),

renamed as (
    select
        -- ids
        trim(terminal_no) as terminal_no,

        -- codes and texts
        task_code,
        fail_reason,

        -- numerics
        expected_cnt as expected_count,
        received_cnt as received_count,
        success_rate,

        -- dates
        data_date as reading_date,

        -- timestamps
        terminal_ts as terminal_clock_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
