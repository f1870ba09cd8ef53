with source as (
    {{ newest_landed('marketing', 'mkt_ticket') }}
),

renamed as (
    select
        -- ids
        trim(ticket_no) as ticket_no,
        trim(cons_no) as account_no,
        trim(dept_no) as dept_no,
        trim(reopen_of) as reopened_ticket_no,

        -- codes and texts
        ticket_type as ticket_type_code,
        sub_type as ticket_subtype_code,
        channel as channel_code,
        urban_rural as area_class_code,

        -- booleans
        is_force_majeure,

        -- numerics
        work_min as work_minutes,
        satisfaction as satisfaction_score,

        -- timestamps
        accepted_at,
        dispatched_at,
        arrived_at,
        restored_at,
        first_contact_at,
        replied_at,
        closed_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
