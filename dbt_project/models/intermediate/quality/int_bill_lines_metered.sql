{%- set day = business_date() -%}
-- Each bill line beside what the metering system says of it: the multiplier of the point on the last day of the period, and
-- the energy that the meter's register counted from the first day of the period to the first after it.
with boundaries as (
    select distinct {{ day_start_at('days.day') }} as frozen_at
    from {{ ref('stg_marketing__bills') }} as bills
    cross join lateral (values (bills.read_from), (bills.read_to)) as days (day)
),

-- The month freeze is the one that is billed by.
readings as (
    select distinct on (registers.meter_asset_no, registers.rate_code, registers.frozen_at)
        registers.meter_asset_no,
        registers.rate_code,
        {{ local_date('registers.frozen_at') }} as frozen_date,
        registers.register_reading_kwh
    from {{ ref('stg_metering__register_freezes') }} as registers
    inner join boundaries on registers.frozen_at = boundaries.frozen_at
    where
        registers.energy_kind_code = 'ACTIVE'
        and registers.direction_code = 'FWD'
        and registers.freeze_kind_code in ('MONTH', 'DAY')
    order by
        registers.meter_asset_no, registers.rate_code, registers.frozen_at, registers.freeze_kind_code desc,
        registers.version desc nulls last, registers._raw_id desc
),

limits as materialized (
    select
        {{ rule_parameter('MET-06', 'rollover_from_share', day) }} as from_share,
        {{ rule_parameter('MET-06', 'rollover_below_share', day) }} as below_share
),

-- One join after the other: in one, every pair of a meter's readings would be made first.
opened as materialized (
    select
        lines.*,
        bills._raw_id as bill_raw_id,
        bills.account_no,
        bills.bill_month,
        bills.read_from,
        bills.read_to,
        bills.orig_bill_no is null as is_regular,
        readings.register_reading_kwh as opening_kwh
    from {{ ref('stg_marketing__bill_lines') }} as lines
    inner join {{ ref('stg_marketing__bills') }} as bills on lines.bill_no = bills.bill_no
    left join readings
        on
            lines.meter_asset_no = readings.meter_asset_no
            and lines.rate_code = readings.rate_code
            and bills.read_from = readings.frozen_date
),

final as (
    select
        opened._raw_id,
        opened.bill_raw_id,
        opened.bill_no,
        opened.account_no,
        opened.bill_month,
        opened.read_from,
        opened.read_to,
        opened.is_regular,
        opened.metering_point_no,
        opened.meter_asset_no,
        opened.rate_code,
        opened.previous_reading_kwh,
        opened.current_reading_kwh,
        opened.opening_kwh,
        opened.billed_kwh,
        opened.price_cny_per_kwh,
        opened.charge_cny,
        opened.multiplier as billed_multiplier,
        points.multiplier,
        points.ratio_basis_code,
        meters.meter_asset_no is not null as is_meter_known,
        num_nulls(opened.opening_kwh, readings.register_reading_kwh) = 0 as is_read,
        coalesce(opened.transformer_loss_kwh, 0) + coalesce(opened.line_loss_kwh, 0) + coalesce(opened.added_kwh, 0) as losses_kwh,
        opened.added_kwh,
        quality.register_difference(
            opened.opening_kwh, readings.register_reading_kwh, meters.digits_int::integer, limits.from_share, limits.below_share
        ) * points.multiplier as register_kwh
    from opened
    cross join limits
    left join readings
        on
            opened.meter_asset_no = readings.meter_asset_no
            and opened.rate_code = readings.rate_code
            and opened.read_to = readings.frozen_date
    left join {{ one_each(ref('stg_metering__meters'), 'meter_asset_no', 'digits_int', 'max') }} as meters
        on opened.meter_asset_no = meters.meter_asset_no
    left join {{ ref('int_metering_points_as_of') }} as points
        on opened.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'opened.read_to - 1') }}
)

select * from final
