with metering_points as (
    select distinct on (metering_point_no) *
    from {{ ref('dim_metering_points') }}
    where valid_from <= {{ business_date() }}
    order by metering_point_no, valid_from desc
),

final as (
    select
        metering_point_no,
        coalesce(account_no, 'UNKNOWN') as account_no,
        role_code,
        coalesce(parent_metering_point_no, metering_point_no) as parent_metering_point_no,
        split_method_code,
        metering_side_code,
        voltage_level_code,
        wiring_code,
        coalesce(feeder_no, 'UNKNOWN') as feeder_no,
        coalesce(transformer_area_no, 'UNKNOWN') as transformer_area_no,
        coalesce(meter_asset_no, 'UNKNOWN') as meter_asset_no,
        ct_ratio,
        pt_ratio,
        multiplier,
        ratio_basis_code,
        valid_to is null or valid_to > {{ business_date() }} as is_in_force,
        is_installed,
        is_counted_in_account
    from metering_points
    union all
    select
        'UNKNOWN' as metering_point_no,
        'UNKNOWN' as account_no,
        null as role_code,
        'UNKNOWN' as parent_metering_point_no,
        null as split_method_code,
        null as metering_side_code,
        null as voltage_level_code,
        null as wiring_code,
        'UNKNOWN' as feeder_no,
        'UNKNOWN' as transformer_area_no,
        'UNKNOWN' as meter_asset_no,
        null as ct_ratio,
        null as pt_ratio,
        null as multiplier,
        null as ratio_basis_code,
        false as is_in_force,
        false as is_installed,
        false as is_counted_in_account
)

select * from final
