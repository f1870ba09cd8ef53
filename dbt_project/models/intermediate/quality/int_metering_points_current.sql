-- Each metering point of the metering system on the business date: its newest row there, and where the marketing system has
-- it in force, the voltage level of its supply.
with measured as (
    select distinct on (metering_point_no) *
    from {{ ref('stg_metering__measuring_points') }}
    order by metering_point_no, _raw_id desc
),

supplied as (
    select distinct on (points.metering_point_no)
        points.metering_point_no,
        points.voltage_level_code
    from {{ ref('stg_marketing__metering_points') }} as points
    where {{ is_valid_on('points', business_date()) }}
    order by points.metering_point_no, points.valid_from desc, points._raw_id desc
),

final as (
    select
        measured.metering_point_no,
        measured.account_no,
        measured.meter_asset_no,
        measured.terminal_no,
        measured.wiring_code,
        measured.metering_side_code,
        supplied.voltage_level_code,
        measured.ct_ratio,
        measured.pt_ratio,
        measured.multiplier,
        measured.installed_at,
        {{ local_date('measured.removed_at') }} as removed_date,
        measured.source_updated_at,
        measured._raw_id
    from measured
    left join supplied on measured.metering_point_no = supplied.metering_point_no
)

select * from final
