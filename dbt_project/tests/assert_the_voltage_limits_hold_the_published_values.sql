-- Limits of GB/T 12325-2008 as the meter sees them: secondary volts behind a voltage transformer, phase to neutral with four wires.
with limits as (
    select * from {{ ref('voltage_limits') }}
),

published as (
    select
        told.voltage_level_code,
        told.metering_side_code,
        told.wiring_code,
        told.lower_limit_v,
        told.upper_limit_v
    from (
        values
        ('AC10kV', 'HV_HV', '3P3W', 93.0, 107.0), ('AC20kV', 'HV_HV', '3P3W', 93.0, 107.0),
        ('AC10kV', 'HV_HV', '3P4W', 53.6936, 61.7764), ('AC10kV', 'HV_LV', '3P4W', 204.6, 235.4),
        ('AC380V', 'LV_LV', '3P4W', 204.6, 235.4), ('AC380V', 'LV_LV', '3P3W', 353.4, 406.6),
        ('AC220V', 'LV_LV', 'SINGLE_PHASE', 198.0, 235.4)
    ) as told (voltage_level_code, metering_side_code, wiring_code, lower_limit_v, upper_limit_v)
),

final as (
    select
        published.voltage_level_code,
        published.metering_side_code,
        published.wiring_code,
        published.lower_limit_v as published_lower_v,
        limits.lower_limit_v as seed_lower_v,
        published.upper_limit_v as published_upper_v,
        limits.upper_limit_v as seed_upper_v
    from published
    left join limits
        on
            published.voltage_level_code = limits.voltage_level_code
            and published.metering_side_code = limits.metering_side_code
            and published.wiring_code = limits.wiring_code
            and {{ is_valid_on('limits', "date '2025-06-10'") }}
    where
        limits.lower_limit_v is distinct from published.lower_limit_v
        or limits.upper_limit_v is distinct from published.upper_limit_v
)

select * from final
