with assignments as (
    select * from {{ ref('stg_marketing__tariff_assignments') }}
),

final as (
    select distinct on (account_no, metering_point_no, valid_from)
        account_no,
        metering_point_no,
        valid_from,
        valid_to,
        tariff_code,
        basic_mode_code,
        contract_demand_kw,
        power_factor_standard_code,
        is_tou
    from assignments
    order by account_no, metering_point_no, valid_from, _raw_id desc
)

select * from final
