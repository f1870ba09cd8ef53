/*
sentence: At any time a meter is installed at one customer, and a metering point has one meter.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: data quality office
reason: The energy of one meter would be billed twice.
source: project rule
at_stake: "Exposure: what the point was last billed; yuan at the bill's average price. The error is unknown."
likely_wrong: "Undetermined: one system contradicts itself."
subject: mkt_meter_install
quarantines: mkt_meter_install
population: installations of meters
reads: [int_metering_points_last_billed, stg_marketing__meter_installations]
compares: [marketing.mkt_meter_install.install_date, marketing.mkt_meter_install.remove_date]
*/
-- tested
select
    {{ row_of('installations') }},
    installations.install_date,
    overlapping.other_note,
    billed.point_kwh,
    billed.point_cny
from staging.stg_marketing__meter_installations as installations
left join {{ overlapping(
    'staging.stg_marketing__meter_installations', same='meter_asset_no', other='account_no',
    note="other.account_no || ' from ' || other.install_date", first_day='install_date', end_day='remove_date'
) }} as overlapping on installations._raw_id = overlapping._raw_id
left join staging.int_metering_points_last_billed as billed on installations.metering_point_no = billed.metering_point_no
where installations.install_date is not null
-- violations
select
    {{ finding('meter_asset_no') }},
    'also at ' || other_note as observed,
    'one customer at a time' as expected,
    point_kwh as exposure_kwh,
    round(point_cny, 2) as exposure_cny
from tested
where other_note is not null
