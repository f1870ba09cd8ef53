/*
sentence: The PT ratio is the same in metering, marketing and contract on the business date.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: A wrong ratio scales every kilowatt-hour that is billed.
source: project rule; the evidence of the likely-right side has its points in seed quality_parameters, XSR-28
at_stake: "Energy last billed x share by which the right ratio differs, or where both ratios of the point are wrong their product, with the CT alone; yuan at the bill's average price. Exposure: what the point was last billed."
recurs: monthly
likely_wrong: Two of three systems, else the evidence of XSR-28; undetermined where none stands out.
subject: met_measuring_point
quarantines: met_measuring_point
implies: [XSR-05, XSR-17]
not_tested: No metering point has a ratio on a second side.
population: metering points with a PT ratio on a second side
reads: [int_metering_points_current, int_metering_points_last_billed, int_ratios_compared]
compares:
  - metering.met_measuring_point.pt_ratio
  - marketing.mkt_meter_install.pt_ratio
  - contract.con_metering_annex.pt_ratio
*/
-- tested
{{ points_with_ratio('PT') }}
-- violations
{{ ratios_that_differ('pt_ratio') }}
