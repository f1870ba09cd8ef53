/*
sentence: The energy of a bill line is the difference of the metering system's register times its multiplier, with the losses of the line, within twice the multiplier or 0.5 %.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The customer pays for energy that the meter did not count, or not for energy that it did.
source: catalogue XSR-17
at_stake: Difference in kWh; yuan at the price of the line.
likely_wrong: "Not told: the register is the only witness; a wrong ratio is weighed in XSR-03 and XSR-04."
subject: mkt_bill_line
quarantines: mkt_bill_line
not_tested: No bill line has both register readings of its period.
*/
-- tested
with limits as materialized (
    select
        quality.parameter('XSR-17', 'multiplier_factor', :business_date) as multiplier_factor,
        quality.parameter('XSR-17', 'relative', :business_date) as relative,
        quality.parameter('MET-06', 'rollover_from_share', :business_date) as from_share,
        quality.parameter('MET-06', 'rollover_below_share', :business_date) as below_share
),

meters as (
    select meter_asset_no, max(digits_int)::integer as digits_int
    from staging.stg_metering__meters
    group by meter_asset_no
),

readings as (
    select distinct on (registers.meter_asset_no, registers.rate_code, registers.frozen_at)
        registers.meter_asset_no,
        registers.rate_code,
        {{ local_date('registers.frozen_at') }} as frozen_date,
        registers.register_reading_kwh
    from staging.stg_metering__register_freezes as registers
    where
        registers.energy_kind_code = 'ACTIVE'
        and registers.direction_code = 'FWD'
        and registers.freeze_kind_code in ('MONTH', 'DAY')
        and registers.frozen_at in (
            select boundaries.day::timestamp at time zone 'Asia/Shanghai'
            from staging.stg_marketing__bills as bills
            cross join lateral (values (bills.read_from), (bills.read_to)) as boundaries (day)
        )
    -- The month freeze is the one that is billed by.
    order by
        registers.meter_asset_no, registers.rate_code, registers.frozen_at, registers.freeze_kind_code desc,
        registers.version desc nulls last, registers._raw_id desc
),

-- One join after the other: in one, every pair of a meter's readings would be made first.
lines as materialized (
    select
        lines._raw_id as raw_id,
        bills.account_no,
        bills.bill_month,
        bills.read_from,
        bills.read_to,
        lines.metering_point_no,
        lines.meter_asset_no,
        lines.rate_code,
        lines.billed_kwh,
        lines.price_cny_per_kwh,
        coalesce(lines.transformer_loss_kwh, 0) + coalesce(lines.line_loss_kwh, 0) + coalesce(lines.added_kwh, 0) as losses_kwh
    from staging.stg_marketing__bill_lines as lines
    inner join staging.stg_marketing__bills as bills on lines.bill_no = bills.bill_no
    where bills.orig_bill_no is null and lines.billed_kwh is not null
),

opened as materialized (
    select
        lines.*,
        readings.register_reading_kwh as opening_kwh
    from lines
    inner join readings
        on
            lines.meter_asset_no = readings.meter_asset_no
            and lines.rate_code = readings.rate_code
            and lines.read_from = readings.frozen_date
),

closed as materialized (
    select
        opened.*,
        readings.register_reading_kwh as closing_kwh
    from opened
    inner join readings
        on
            opened.meter_asset_no = readings.meter_asset_no
            and opened.rate_code = readings.rate_code
            and opened.read_to = readings.frozen_date
),

compared as (
    select
        closed.raw_id,
        closed.account_no,
        closed.bill_month,
        closed.billed_kwh,
        closed.price_cny_per_kwh,
        points.multiplier,
        quality.register_difference(
            closed.opening_kwh, closed.closing_kwh, meters.digits_int, limits.from_share, limits.below_share
        ) * points.multiplier as register_kwh,
        closed.losses_kwh,
        limits.multiplier_factor * points.multiplier as absolute_kwh,
        limits.relative
    from closed
    inner join staging.int_metering_points_as_of as points
        on closed.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'closed.read_to - 1') }}
    inner join meters on closed.meter_asset_no = meters.meter_asset_no
    cross join limits
)

select
    compared.*,
    greatest(absolute_kwh, relative * abs(register_kwh + losses_kwh)) as tolerance_kwh
from compared
where register_kwh is not null
-- violations
select
    {{ finding('kwh_billed', day='bill_month') }},
    billed_kwh || ' kWh' as observed,
    round(register_kwh + losses_kwh, 2) || ' kWh within ' || round(tolerance_kwh, 2) as expected,
    abs(billed_kwh - register_kwh - losses_kwh) as energy_at_stake_kwh,
    round(abs(billed_kwh - register_kwh - losses_kwh) * price_cny_per_kwh, 2) as amount_at_stake_cny
from tested
where abs(billed_kwh - register_kwh - losses_kwh) > tolerance_kwh
