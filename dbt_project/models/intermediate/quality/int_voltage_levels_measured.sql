{%- set day = business_date() -%}
-- The voltage level that the meters of an account see, where contract and marketing name two: the one of these that the mean
-- voltage fits. A meter on the low side of the transformer does not see it.
with levels as (
    select distinct
        customers.account_no,
        sides.voltage_level_code,
        1000 * substring(sides.voltage_level_code from '^AC([0-9]+)kV$')::numeric as nominal_v
    from {{ ref('stg_marketing__customers') }} as customers
    inner join {{ ref('int_contracts_in_force') }} as contracts
        on customers.account_no = contracts.account_no and contracts.is_effective and {{ is_valid_on('contracts', day) }}
    cross join lateral (values (customers.voltage_level_code), (contracts.voltage_level_code)) as sides (voltage_level_code)
    where contracts.voltage_level_code <> customers.voltage_level_code
),

points as (
    select points.*
    from {{ ref('int_metering_points_as_of') }} as points
    where
        {{ is_valid_on('points', day) }}
        and points.metering_side_code = 'HV_HV'
        and points.account_no in (select levels.account_no from levels)
),

measured as (
    select
        points.account_no,
        avg(
            quality.slot_sum(curves.values_by_slot) / nullif(curves.collected_slots, 0)
            * case when curves.is_primary then 1 else points.pt_ratio end
            * case when points.wiring_code = '3P4W' then sqrt(3::numeric) else 1 end
        ) as voltage_v
    from points
    inner join {{ ref('int_curves_latest') }} as curves on points.metering_point_no = curves.metering_point_no
    where
        curves.quantity_code = 'U'
        and curves.phase_code = 'A'
        and curves.reading_date between {{ day }} - {{ rule_parameter('XSR-28', 'physics_days', day) }}::integer and {{ day }}
    group by points.account_no
),

final as (
    select
        levels.account_no,
        min(levels.voltage_level_code) as voltage_level_code,
        round(max(measured.voltage_v) / 1000, 1) as voltage_kv
    from levels
    inner join measured on levels.account_no = measured.account_no
    where abs(measured.voltage_v / levels.nominal_v - 1) <= {{ rule_parameter('XSR-28', 'voltage_band', day) }}
    group by levels.account_no
    having count(*) = 1
)

select * from final
