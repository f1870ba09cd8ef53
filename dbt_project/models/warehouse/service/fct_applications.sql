with applications as (
    select distinct on (application_no) *
    from {{ ref('stg_marketing__applications') }}
    order by application_no, _raw_id desc
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

final as (
    select
        applications.application_no,
        applications.account_no,
        accounts.org_no,
        applications.application_type_code,
        applications.status_code,
        applications.channel_code,
        applications.access_mode_code,
        applications.voltage_level_code,
        case
            when accounts.customer_class_code = 'RESIDENT' then 'RESIDENT'
            when applications.voltage_level_code in ('AC220V', 'AC380V') then 'LV'
            when applications.voltage_level_code is not null then 'HV'
        end as voltage_class_code,
        applications.supply_mode_code,
        case
            when applications.supply_mode_code = 'SINGLE' then 'SINGLE'
            when applications.supply_mode_code is not null then 'DUAL'
        end as supply_class_code,
        applications.applied_capacity_kva,
        applications.accepted_at,
        (applications.accepted_at at time zone 'Asia/Shanghai')::date as accepted_date
    from applications
    left join accounts on applications.account_no = accounts.account_no
)

select * from final
