/*
sentence: The multiplier of a bill line is that of its metering point on the last day of the period.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The multiplier scales every kilowatt-hour that is billed.
source: project rule
at_stake: Energy of the line x share by which the right multiplier differs; yuan likewise.
recurs: monthly
likely_wrong: "Undetermined: the ratios of the point are weighed in XSR-03 and XSR-04."
subject: mkt_bill_line
quarantines: mkt_bill_line
not_tested: No billed point has instrument transformers on record.
population: bill lines of points with instrument transformers
reads: [int_bill_lines_metered]
compares: [metering.met_measuring_point.multiplier, marketing.mkt_bill_line.multiplier]
parameters: [MET-27.tolerance]
*/
-- tested
select
    {{ row_of('lines') }},
    lines.bill_month,
    lines.billed_multiplier,
    lines.multiplier,
    lines.billed_kwh,
    lines.charge_cny
from staging.int_bill_lines_metered as lines
where lines.billed_multiplier is not null and lines.ratio_basis_code = 'INSTRUMENT_TRANSFORMERS'
-- violations
select
    {{ finding('multiplier', day='bill_month') }},
    trim_scale(billed_multiplier)::text as observed,
    trim_scale(multiplier)::text as expected,
    round(billed_kwh * abs(multiplier / nullif(billed_multiplier, 0) - 1), 4) as energy_at_stake_kwh,
    round(charge_cny * abs(multiplier / nullif(billed_multiplier, 0) - 1), 2) as amount_at_stake_cny
from tested
where abs(billed_multiplier - multiplier) > :tolerance * multiplier
