{{ config(tags=['warehouse']) }}

with receipts_of_customers as (
    select * from {{ source('raw_marketing', 'mkt_customer') }}
    where _business_date <= {{ business_date() }}
),

quarantined as (
    select * from {{ source('quality', 'quarantined_rows') }}
    where table_name = 'mkt_customer' and released_run is null
),

-- The source keeps no earlier values: what a day knew is what had been received by it.
known as (
    select distinct on (receipts_of_customers._key, receipts_of_customers._business_date) receipts_of_customers.*
    from receipts_of_customers
    left join quarantined on receipts_of_customers._raw_id = quarantined.raw_id
    where quarantined.raw_id is null
    order by
        receipts_of_customers._key,
        receipts_of_customers._business_date,
        receipts_of_customers._load_id desc,
        receipts_of_customers._raw_id desc
),

followed as (
    select
        *,
        lead(_business_date) over (partition by _key order by _business_date, _raw_id) as next_business_date
    from known
),

final as (
    select
        trim(cons_no) as account_no,
        _business_date as valid_from,
        next_business_date as valid_to,
        trim(org_no) as org_no,
        industry_code,
        cons_class as customer_class_code,
        voltage_level as voltage_level_code,
        importance as importance_code,
        load_property as load_class_code,
        urban_rural as area_class_code,
        status as status_code,
        contract_cap_kva as contract_capacity_kva,
        running_cap_kva as running_capacity_kva,
        open_date,
        connect_date,
        close_date,
        nullif(trim(cons_name), '') is not null as has_name,
        nullif(trim(uscc), '') is not null as has_licence_no,
        nullif(trim(addr), '') is not null as has_address,
        _raw_id,
        _load_id
    from followed
    where not _is_tombstone and cons_no is not null
)

select * from final
