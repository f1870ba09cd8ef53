with applications as (
    select distinct on (application_no) *
    from {{ ref('stg_marketing__applications') }}
    order by application_no, _raw_id desc
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

process_cases as (
    select * from {{ ref('process_cases') }}
    where case_kind_code = 'APPLICATION'
),

classed as (
    select
        applications.*,
        (applications.accepted_at at time zone 'Asia/Shanghai')::date as accepted_date,
        case
            when applications.voltage_level_code in ('AC220V', 'AC380V') then 'LV'
            when applications.voltage_level_code is not null then 'HV'
        end as voltage_class_code
    from applications
),

final as (
    select
        classed.application_no,
        classed.account_no,
        accounts.org_no,
        classed.application_type_code,
        classed.status_code,
        classed.channel_code,
        classed.access_mode_code,
        classed.voltage_level_code,
        case
            when accounts.customer_class_code = 'RESIDENT' then 'RESIDENT' else classed.voltage_class_code
        end as voltage_class_code,
        process_cases.process_code,
        classed.supply_mode_code,
        case
            when classed.supply_mode_code = 'SINGLE' then 'SINGLE'
            when classed.supply_mode_code is not null then 'DUAL'
        end as supply_class_code,
        classed.applied_capacity_kva,
        classed.accepted_at,
        classed.accepted_date
    from classed
    left join accounts on classed.account_no = accounts.account_no
    left join process_cases
        on
            classed.application_type_code = process_cases.case_type_code
            and process_cases.voltage_class_code in ('ANY', classed.voltage_class_code)
            and {{ is_valid_on('process_cases', 'classed.accepted_date') }}
)

select * from final
