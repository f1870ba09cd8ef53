{{ config(tags=['warehouse']) }}

with followed as (
    {{ versions_by_receipt('marketing', 'mkt_customer') }}
),

delivered as (
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
),

final as (
    select * from delivered
    {{ or_accounts_of_points() }}
)

select * from final
