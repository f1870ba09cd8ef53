with accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

names as (
    select * from {{ ref('dim_account_names') }}
),

owners as (
    select * from {{ ref('bridge_account_customers') }}
    where valid_to is null
),

customers as (
    select * from {{ ref('star_customers') }}
),

tiers as (
    select * from {{ ref('dim_service_tiers') }}
    where valid_to is null
),

managers as (
    select
        account_no,
        min(manager_no) as manager_no
    from {{ ref('bridge_account_managers') }} as assignments
    where assign_role_code = 'PRIMARY' and {{ is_valid_on('assignments', business_date()) }}
    group by account_no
),

final as (
    select
        accounts.account_no,
        names.account_name,
        coalesce(owners.customer_no, 'UNKNOWN') as customer_no,
        coalesce(customers.group_no, 'UNKNOWN') as group_no,
        coalesce(accounts.org_no, 'UNKNOWN') as org_no,
        coalesce(managers.manager_no, 'UNKNOWN') as manager_no,
        coalesce(accounts.industry_code, 'UNKNOWN') as industry_code,
        accounts.customer_class_code,
        accounts.voltage_level_code,
        accounts.importance_code,
        accounts.load_class_code,
        accounts.area_class_code,
        accounts.status_code,
        tiers.tier_code,
        accounts.contract_capacity_kva,
        accounts.running_capacity_kva,
        accounts.open_date,
        accounts.connect_date,
        accounts.close_date,
        accounts.close_date is null or accounts.close_date > {{ business_date() }} as is_open,
        accounts.is_key_account,
        accounts.key_reason
    from accounts
    left join names on accounts.account_no = names.account_no
    left join owners on accounts.account_no = owners.account_no
    left join customers on owners.customer_no = customers.customer_no
    left join tiers on accounts.account_no = tiers.account_no
    left join managers on accounts.account_no = managers.account_no
    union all
    select
        'UNKNOWN' as account_no,
        '未知 / unknown' as account_name,
        'UNKNOWN' as customer_no,
        'UNKNOWN' as group_no,
        'UNKNOWN' as org_no,
        'UNKNOWN' as manager_no,
        'UNKNOWN' as industry_code,
        null as customer_class_code,
        null as voltage_level_code,
        null as importance_code,
        null as load_class_code,
        null as area_class_code,
        null as status_code,
        null as tier_code,
        null as contract_capacity_kva,
        null as running_capacity_kva,
        null as open_date,
        null as connect_date,
        null as close_date,
        false as is_open,
        false as is_key_account,
        null as key_reason
)

select * from final
