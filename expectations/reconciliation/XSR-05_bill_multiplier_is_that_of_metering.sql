/*
sentence: The multiplier of a bill line is that of its metering point on the last day of the period.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: The multiplier scales every kilowatt-hour that is billed.
source: catalogue XSR-05
at_stake: Energy of the line x share by which the right multiplier differs; yuan likewise.
likely_wrong: "Not told: the ratios of the point are weighed in XSR-03 and XSR-04."
subject: mkt_bill_line
quarantines: mkt_bill_line
not_tested: No billed point has instrument transformers on record.
*/
-- tested
select
    {{ row_of('lines', account='bills') }},
    bills.bill_month,
    lines.multiplier as bill_multiplier,
    points.multiplier as metering_multiplier,
    lines.billed_kwh,
    lines.charge_cny,
    quality.parameter('MET-27', 'tolerance', :business_date) as tolerance
from staging.stg_marketing__bill_lines as lines
inner join staging.stg_marketing__bills as bills on lines.bill_no = bills.bill_no
inner join staging.int_metering_points_as_of as points
    on lines.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'bills.read_to - 1') }}
where lines.multiplier is not null and points.ratio_basis_code = 'INSTRUMENT_TRANSFORMERS'
-- violations
select
    {{ finding('multiplier', day='bill_month') }},
    trim_scale(bill_multiplier)::text as observed,
    trim_scale(metering_multiplier)::text as expected,
    round(billed_kwh * abs(metering_multiplier / nullif(bill_multiplier, 0) - 1), 4) as energy_at_stake_kwh,
    round(charge_cny * abs(metering_multiplier / nullif(bill_multiplier, 0) - 1), 2) as amount_at_stake_cny
from tested
where abs(bill_multiplier - metering_multiplier) > tolerance * metering_multiplier
