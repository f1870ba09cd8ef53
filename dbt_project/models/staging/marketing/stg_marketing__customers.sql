with source as (
    {{ newest_landed('marketing', 'mkt_customer') }}
),

renamed as (
    select
        -- ids
        trim(cons_no) as account_no,
        uscc,
        trim(org_no) as org_no,

        -- codes and texts
        cons_name as account_name,
        legal_rep as legal_representative_name,
        addr as address,
        industry_code,
        cons_class as customer_class_code,
        voltage_level as voltage_level_code,
        importance as importance_code,
        load_property as load_class_code,
        urban_rural as area_class_code,
        status as status_code,
        shift_mode,
        factory_rest_day,

        -- numerics
        contract_cap_kva as contract_capacity_kva,
        running_cap_kva as running_capacity_kva,

        -- dates
        open_date,
        connect_date,
        close_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
