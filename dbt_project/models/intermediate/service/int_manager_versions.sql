{{ config(tags=['warehouse']) }}

with receipts_of_managers as (
    select * from {{ source('raw_marketing', 'mkt_manager') }}
    where _business_date <= {{ business_date() }}
),

quarantined as (
    select * from {{ source('quality', 'quarantined_rows') }}
    where table_name = 'mkt_manager' and released_run is null
),

-- The source keeps no earlier values: what a day knew is what had been received by it.
known as (
    select distinct on (receipts_of_managers._key, receipts_of_managers._business_date) receipts_of_managers.*
    from receipts_of_managers
    left join quarantined on receipts_of_managers._raw_id = quarantined.raw_id
    where quarantined.raw_id is null
    order by
        receipts_of_managers._key,
        receipts_of_managers._business_date,
        receipts_of_managers._load_id desc,
        receipts_of_managers._raw_id desc
),

followed as (
    select
        *,
        lead(_business_date) over (partition by _key order by _business_date, _raw_id) as next_business_date
    from known
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
