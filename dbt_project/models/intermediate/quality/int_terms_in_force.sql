{%- set month_end = last_month_end(business_date()) -%}
-- Terms of the bill by contract and by archive in the last closed month. The terms of an account are those of its main
-- points; a sub-meter may have a tariff of its own.
with contracts as (
    select contracts.*
    from {{ ref('int_contracts_in_force') }} as contracts
    where contracts.is_effective and {{ is_valid_on('contracts', month_end) }}
),

customers as (
    select * from {{ newest_each(ref('stg_marketing__customers'), 'account_no') }} as newest
),

assigned as (
    select distinct on (assignments.account_no, assignments.metering_point_no) assignments.*
    from {{ ref('stg_marketing__tariff_assignments') }} as assignments
    inner join {{ ref('stg_marketing__metering_points') }} as points
        on
            assignments.metering_point_no = points.metering_point_no
            and points.role_code = 'BILLING'
            and points.parent_metering_point_no is null
            and {{ is_valid_on('points', month_end) }}
    where {{ is_valid_on('assignments', month_end) }}
    order by assignments.account_no, assignments.metering_point_no, assignments._raw_id desc
),

final as (
    select
        contracts.account_no,
        assigned.metering_point_no,
        {{ month_end }} as month_end_date,
        contracts._raw_id as contract_raw_id,
        customers.contract_capacity_kva as marketing_capacity_kva,
        customers.running_capacity_kva,
        contracts.tariff_code as contract_tariff_code,
        assigned.tariff_code as marketing_tariff_code,
        contracts.power_factor_standard_code as contract_standard_code,
        assigned.power_factor_standard_code as marketing_standard_code,
        contracts.basic_mode_code as contract_mode_code,
        assigned.basic_mode_code as marketing_mode_code,
        -- A demand is agreed only where the basic charge goes by it.
        case when contracts.basic_mode_code = 'BY_CONTRACT_MD' then contracts.contract_demand_kw end as contract_demand_kw,
        case when assigned.basic_mode_code = 'BY_CONTRACT_MD' then assigned.contract_demand_kw end as marketing_demand_kw
    from contracts
    inner join assigned on contracts.account_no = assigned.account_no
    left join customers on contracts.account_no = customers.account_no
)

select * from final
