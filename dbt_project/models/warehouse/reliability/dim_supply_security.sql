with security_files as (
    select distinct on (account_no) *
    from {{ ref('stg_marketing__supply_security_files') }}
    where account_no is not null
    order by account_no, _raw_id desc
),

inspections as (
    select * from {{ ref('stg_marketing__inspections') }}
),

-- The last time that somebody looked at the protection settings of the customer.
protection_checks as (
    select distinct on (account_no)
        account_no,
        done_date,
        is_protection_setting_ok
    from inspections
    where account_no is not null and is_protection_setting_ok is not null and done_date <= {{ business_date() }}
    order by account_no, done_date desc, inspection_no desc, _raw_id desc
),

final as (
    select
        account_no,
        security_files.sensitive_load_kva,
        security_files.ups_kva,
        security_files.outage_cost_cny,
        protection_checks.done_date as protection_checked_date,
        protection_checks.is_protection_setting_ok
    from security_files
    full outer join protection_checks using (account_no)
)

select * from final
