/*
sentence: The energy of each rate of a bill is that of the registers of this rate times their multiplier, with the losses of its lines, within 0.5 %.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Energy in another rate has another price.
source: catalogue XSR-18
at_stake: Difference in kWh; yuan at the price of the rate.
likely_wrong: "Not told: the register is the only witness."
subject: mkt_bill
not_tested: No bill has both register readings of its rates.
*/
-- tested
with meters as (
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

registers as (
    select
        bills._raw_id,
        lines.rate_code,
        sum(
            quality.register_difference(
                opening.register_reading_kwh,
                closing.register_reading_kwh,
                meters.digits_int,
                quality.parameter('MET-06', 'rollover_from_share', :business_date),
                quality.parameter('MET-06', 'rollover_below_share', :business_date)
            ) * points.multiplier
            + coalesce(lines.transformer_loss_kwh, 0) + coalesce(lines.line_loss_kwh, 0) + coalesce(lines.added_kwh, 0)
        ) as register_kwh,
        sum(points.multiplier) as multipliers,
        max(lines.price_cny_per_kwh) as price_cny_per_kwh,
        count(*) as lines,
        count(closing.register_reading_kwh - opening.register_reading_kwh) as lines_read
    from staging.stg_marketing__bills as bills
    inner join staging.stg_marketing__bill_lines as lines on bills.bill_no = lines.bill_no
    left join meters on lines.meter_asset_no = meters.meter_asset_no
    left join staging.int_metering_points_as_of as points
        on lines.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'bills.read_to - 1') }}
    left join readings as opening
        on
            lines.meter_asset_no = opening.meter_asset_no
            and lines.rate_code = opening.rate_code
            and bills.read_from = opening.frozen_date
    left join readings as closing
        on
            lines.meter_asset_no = closing.meter_asset_no
            and lines.rate_code = closing.rate_code
            and bills.read_to = closing.frozen_date
    where bills.orig_bill_no is null
    group by bills._raw_id, lines.rate_code
)

select
    {{ row_of('bills') }},
    bills.bill_month,
    parts.column_name,
    parts.part_kwh,
    registers.register_kwh,
    registers.price_cny_per_kwh,
    greatest(
        quality.parameter('XSR-17', 'multiplier_factor', :business_date) * registers.multipliers,
        quality.parameter('XSR-17', 'relative', :business_date) * abs(registers.register_kwh)
    ) as tolerance_kwh
from staging.stg_marketing__bills as bills
cross join lateral (
    values
    ('kwh_sharp', 'SHARP', bills.sharp_kwh),
    ('kwh_peak', 'PEAK', bills.peak_kwh),
    ('kwh_flat', 'FLAT', bills.flat_kwh),
    ('kwh_valley', 'VALLEY', bills.valley_kwh),
    ('kwh_deep', 'DEEP', bills.deep_kwh)
) as parts (column_name, rate_code, part_kwh)
inner join registers on bills._raw_id = registers._raw_id and parts.rate_code = registers.rate_code
where parts.part_kwh is not null and registers.lines = registers.lines_read and registers.register_kwh is not null
-- violations
select
    raw_id,
    account_no,
    bill_month as business_date,
    column_name,
    part_kwh || ' kWh' as observed,
    round(register_kwh, 2) || ' kWh by the registers' as expected,
    abs(part_kwh - register_kwh) as energy_at_stake_kwh,
    round(abs(part_kwh - register_kwh) * price_cny_per_kwh, 2) as amount_at_stake_cny
from tested
where abs(part_kwh - register_kwh) > tolerance_kwh
