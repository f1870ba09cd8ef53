/*
sentence: The energy of a bill line is the difference of the metering system's register times its multiplier, with the losses of the line, within {multiplier_factor:times} the multiplier or {relative}.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The customer pays for energy that the meter did not count, or not for energy that it did.
source: project rule
at_stake: Difference in kWh; yuan at the price of the line.
likely_wrong: "Undetermined: the register is the only witness; a wrong ratio is weighed in XSR-03 and XSR-04."
subject: mkt_bill_line
quarantines: mkt_bill_line
not_tested: No bill line has both register readings of its period.
population: bill lines with both register readings of their period
reads: [int_bill_lines_metered]
compares: [metering.met_register_freeze.reading, marketing.mkt_bill_line.kwh_billed]
parameters: [multiplier_factor, relative]
*/
-- tested
select
    {{ row_of('lines') }},
    lines.bill_month,
    lines.billed_kwh,
    lines.price_cny_per_kwh,
    lines.register_kwh + lines.losses_kwh as metered_kwh,
    greatest(:multiplier_factor * lines.multiplier, :relative * abs(lines.register_kwh + lines.losses_kwh)) as tolerance_kwh
from staging.int_bill_lines_metered as lines
where lines.is_regular and lines.is_meter_known and lines.billed_kwh is not null and lines.register_kwh is not null
-- violations
select
    {{ finding('kwh_billed', day='bill_month') }},
    billed_kwh || ' kWh' as observed,
    round(metered_kwh, 2) || ' kWh within ' || round(tolerance_kwh, 2) as expected,
    abs(billed_kwh - metered_kwh) as energy_at_stake_kwh,
    round(abs(billed_kwh - metered_kwh) * price_cny_per_kwh, 2) as amount_at_stake_cny
from tested
where abs(billed_kwh - metered_kwh) > tolerance_kwh
