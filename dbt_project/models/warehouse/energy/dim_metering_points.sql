with metering_points as (
    select * from {{ ref('int_metering_points_as_of') }}
),

final as (
    select
        md5(metering_point_no || '|' || valid_from) as metering_point_version_id,
        metering_point_no,
        valid_from,
        valid_to,
        account_no,
        role_code,
        parent_metering_point_no,
        split_method_code,
        metering_side_code,
        voltage_level_code,
        wiring_code,
        feeder_no,
        transformer_area_no,
        meter_asset_no,
        ct_ratio,
        pt_ratio,
        multiplier,
        ratio_basis_code,
        is_installed,
        is_expected_to_report,
        is_counted_in_account
    from metering_points
)

select * from final
