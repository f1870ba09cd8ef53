with account_versions as (
    select * from {{ ref('int_account_versions') }}
),

key_accounts as (
    select * from {{ ref('int_key_accounts') }}
),

final as (
    select
        md5(account_versions.account_no || '|' || account_versions.valid_from) as account_version_id,
        account_versions.account_no,
        account_versions.valid_from,
        account_versions.valid_to,
        account_versions.valid_to is null as is_current,
        account_versions.org_no,
        account_versions.industry_code,
        account_versions.customer_class_code,
        account_versions.voltage_level_code,
        account_versions.importance_code,
        account_versions.load_class_code,
        account_versions.area_class_code,
        account_versions.status_code,
        account_versions.contract_capacity_kva,
        account_versions.running_capacity_kva,
        account_versions.open_date,
        account_versions.connect_date,
        account_versions.close_date,
        account_versions.has_name,
        account_versions.has_licence_no,
        account_versions.has_address,
        coalesce(key_accounts.is_key_account, false) as is_key_account,
        key_accounts.key_reason
    from account_versions
    left join key_accounts on account_versions.account_no = key_accounts.account_no
)

select * from final
