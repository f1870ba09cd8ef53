/*
sentence: Every metering point with readings in the month is installed in the marketing system, with the meter that is read.
axis: mismatch
dimension: referential
severity: quarantine
owner: data quality office
reason: Energy of a meter that marketing does not know is billed to nobody.
source: project rule
at_stake: What the meter counted in the month; yuan at the average price of the account's last bill.
likely_wrong: "Undetermined: a swap booked late in marketing and a wrong number in metering leave the same trace."
subject: met_measuring_point
quarantines: met_measuring_point
not_tested: No metering point was read in the month of the business date.
population: metering points read in the month of the business date
tests: window
reads: [int_accounts_last_billed, int_curves_latest, stg_marketing__meter_installations, stg_metering__measuring_points]
compares: [metering.met_measuring_point.meter_asset_no, marketing.mkt_meter_install.meter_asset_no]
*/
-- tested
with read_points as (
    select curves.metering_point_no, max(curves.reading_date) as last_read_date
    from staging.int_curves_latest as curves
    where curves.reading_date between {{ month_of(':business_date') }} and :business_date and curves.quantity_code = 'E+'
    group by curves.metering_point_no
),

installed as (
    select installations.metering_point_no, array_agg(installations.meter_asset_no) as meters
    from staging.stg_marketing__meter_installations as installations
    inner join read_points on installations.metering_point_no = read_points.metering_point_no
    where
        installations.install_date <= read_points.last_read_date
        and (installations.remove_date is null or installations.remove_date >= read_points.last_read_date)
    group by installations.metering_point_no
),

points as (
    select
        points._raw_id as raw_id,
        points.account_no,
        points.metering_point_no,
        points.meter_asset_no,
        points.multiplier,
        read_points.last_read_date,
        installed.metering_point_no is not null
        and coalesce(points.meter_asset_no = any (installed.meters), points.meter_asset_no is null) as is_installed
    from read_points
    inner join staging.stg_metering__measuring_points as points
        on read_points.metering_point_no = points.metering_point_no
    left join installed on points.metering_point_no = installed.metering_point_no
),

measured as (
    select
        points.raw_id,
        sum(quality.slot_sum(curves.values_by_slot) * case when curves.is_primary then 1 else points.multiplier end) as energy_kwh
    from points
    inner join staging.int_curves_latest as curves on points.metering_point_no = curves.metering_point_no
    where
        not points.is_installed
        and curves.reading_date between {{ month_of(':business_date') }} and :business_date
        and curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
    group by points.raw_id
)

select
    points.*,
    measured.energy_kwh,
    last_billed.average_price_cny
from points
left join measured on points.raw_id = measured.raw_id
left join staging.int_accounts_last_billed as last_billed on points.account_no = last_billed.account_no
-- violations
select
    {{ finding('meter_asset_no', day='last_read_date') }},
    'meter ' || coalesce(meter_asset_no, '') || ' read, not installed' as observed,
    'an installation of this meter at ' || metering_point_no as expected,
    round(energy_kwh, 4) as energy_at_stake_kwh,
    round(energy_kwh * average_price_cny, 2) as amount_at_stake_cny
from tested
where not is_installed
