/*
sentence: A meter is installed at one customer, and a metering point has one meter, at a time.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: data quality office
reason: The energy of one meter would be billed twice.
source: catalogue XSR-23
at_stake: What the point was last billed; yuan at the bill's average price.
likely_wrong: "Not told: one system contradicts itself."
subject: mkt_meter_install
quarantines: mkt_meter_install
*/
-- tested
with overlapping as (
    select one._raw_id, min(other.account_no || ' from ' || other.install_date) as installation
    from staging.stg_marketing__meter_installations as one
    inner join staging.stg_marketing__meter_installations as other
        on
            one.meter_asset_no = other.meter_asset_no
            and one.account_no <> other.account_no
            and other.install_date < coalesce(one.remove_date, 'infinity')
            and one.install_date < coalesce(other.remove_date, 'infinity')
    group by one._raw_id
)

select
    {{ row_of('installations') }},
    installations.install_date,
    overlapping.installation as other_installation,
    billed.point_kwh,
    billed.point_cny
from staging.stg_marketing__meter_installations as installations
left join overlapping on installations._raw_id = overlapping._raw_id
left join staging.int_metering_points_last_billed as billed on installations.metering_point_no = billed.metering_point_no
where installations.install_date is not null
-- violations
select
    {{ finding('meter_asset_no') }},
    'also at ' || other_installation as observed,
    'one customer at a time' as expected,
    point_kwh as energy_at_stake_kwh,
    round(point_cny, 2) as amount_at_stake_cny
from tested
where other_installation is not null
