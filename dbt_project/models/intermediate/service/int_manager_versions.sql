{{ config(tags=['warehouse']) }}

with followed as (
    {{ versions_by_receipt('marketing', 'mkt_manager') }}
),

final as (
    select
        trim(manager_no) as manager_no,
        _business_date as valid_from,
        next_business_date as valid_to,
        trim(org_no) as org_no,
        status as status_code,
        cert_level as certificate_level,
        posted_on as posted_date,
        left_on as left_date,
        certified_on as certified_date,
        cert_valid_to + 1 as certificate_valid_to,
        training_hours_12m
    from followed
    where not _is_tombstone and manager_no is not null
)

select * from final
