{%- set day = business_date() -%}
{%- set month_end = "(date_trunc('month', " ~ day ~ "::timestamp) - interval '1 day')::date" -%}
-- Terms by contract and by archive: those of the bill as of the last closed month, the capacity as of the business date.
with {% for name, as_of in [('contracts_today', day), ('contracts_of_month', month_end)] -%}
{{ name }} as (
    select distinct on (contracts.account_no) contracts.*
    from {{ ref('stg_contract__contracts') }} as contracts
    where
        contracts.status_code = 'EFFECTIVE'
        and contracts.kind_code <> 'PROTOCOL'
        and contracts.valid_from <= {{ as_of }}
        and (contracts.valid_to is null or {{ as_of }} < contracts.valid_to or contracts.is_auto_renewed)
    order by contracts.account_no, contracts.valid_from desc, contracts.version desc, contracts._raw_id desc
),

{% endfor -%}
customers as (
    select distinct on (account_no) *
    from {{ ref('stg_marketing__customers') }}
    order by account_no, _raw_id desc
),

-- The terms of an account are those of its main points.
assigned as (
    select distinct on (assignments.account_no) assignments.*
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
        customers.account_no,
        {{ month_end }} as month_end_date,
        contracts_today.contract_capacity_kva,
        customers.contract_capacity_kva as marketing_capacity_kva,
        customers.running_capacity_kva,
        contracts_of_month.tariff_code as contract_tariff_code,
        assigned.tariff_code as marketing_tariff_code,
        contracts_of_month.power_factor_standard_code as contract_standard_code,
        assigned.power_factor_standard_code as marketing_standard_code,
        contracts_of_month.basic_mode_code as contract_mode_code,
        assigned.basic_mode_code as marketing_mode_code,
        -- A demand is agreed only where the basic charge goes by it.
        case when contracts_of_month.basic_mode_code = 'BY_CONTRACT_MD' then contracts_of_month.contract_demand_kw end as contract_demand_kw,
        case when assigned.basic_mode_code = 'BY_CONTRACT_MD' then assigned.contract_demand_kw end as marketing_demand_kw
    from customers
    left join contracts_today on customers.account_no = contracts_today.account_no
    left join contracts_of_month on customers.account_no = contracts_of_month.account_no
    left join assigned on customers.account_no = assigned.account_no
)

select * from final
