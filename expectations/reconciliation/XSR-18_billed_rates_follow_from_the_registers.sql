/*
sentence: The energy of each rate of a bill is that of the registers of this rate times their multiplier, with the losses of its lines, within {XSR-17.relative}.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Energy in another rate has another price.
source: project rule
at_stake: Difference in kWh; yuan at the price of the rate.
likely_wrong: "Undetermined: the register is the only witness."
subject: mkt_bill
not_tested: No bill has both register readings of its rates.
population: bills with both register readings of their rates
reads: [int_bill_lines_metered, stg_marketing__bills]
compares: [metering.met_register_freeze.reading, marketing.mkt_bill.kwh_peak]
parameters: [XSR-17.multiplier_factor, XSR-17.relative]
*/
-- tested
with registers as (
    select
        bill_raw_id,
        rate_code,
        sum(register_kwh + losses_kwh) as register_kwh,
        sum(multiplier) as multipliers,
        max(price_cny_per_kwh) as price_cny_per_kwh
    from staging.int_bill_lines_metered
    where is_regular
    group by bill_raw_id, rate_code
    having bool_and(is_read) and count(register_kwh) > 0
)

select
    {{ row_of('bills') }},
    bills.bill_month,
    parts.column_name,
    parts.part_kwh,
    registers.register_kwh,
    registers.price_cny_per_kwh,
    greatest(:multiplier_factor * registers.multipliers, :relative * abs(registers.register_kwh)) as tolerance_kwh
from staging.stg_marketing__bills as bills
cross join lateral (
    values
    ('kwh_sharp', 'SHARP', bills.sharp_kwh),
    ('kwh_peak', 'PEAK', bills.peak_kwh),
    ('kwh_flat', 'FLAT', bills.flat_kwh),
    ('kwh_valley', 'VALLEY', bills.valley_kwh),
    ('kwh_deep', 'DEEP', bills.deep_kwh)
) as parts (column_name, rate_code, part_kwh)
inner join registers on bills._raw_id = registers.bill_raw_id and parts.rate_code = registers.rate_code
where parts.part_kwh is not null
-- violations
select
    {{ finding(column_sql='column_name', day='bill_month') }},
    part_kwh || ' kWh' as observed,
    round(register_kwh, 2) || ' kWh by the registers' as expected,
    abs(part_kwh - register_kwh) as energy_at_stake_kwh,
    round(abs(part_kwh - register_kwh) * price_cny_per_kwh, 2) as amount_at_stake_cny
from tested
where abs(part_kwh - register_kwh) > tolerance_kwh
