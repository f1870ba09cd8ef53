/*
sentence: An installation states the first reading of the total register and of every rate that the meter reports.
axis: missing
dimension: completeness
severity: quarantine
owner: marketing office
reason: Without it the first bill is a guess.
source: project rule; in use at utilities
subject: mkt_meter_install
quarantines: mkt_meter_install
not_tested: No installed meter has readings.
population: installations of meters that were read
reads: [stg_marketing__meter_installations, stg_metering__register_freezes]
*/
-- tested
with rates as (
    select distinct meter_asset_no, rate_code
    from staging.stg_metering__register_freezes
    where energy_kind_code = 'ACTIVE' and direction_code = 'FWD'
)

select
    {{ row_of('installations') }},
    string_agg(rates.rate_code, ', ' order by rates.rate_code) filter (
        where
            {{ install_reading_of('installations', 'rates.rate_code') }} is null
    ) as missing_rates
from staging.stg_marketing__meter_installations as installations
inner join rates on installations.meter_asset_no = rates.meter_asset_no
group by installations._raw_id, installations.account_no
-- violations
select
    {{ finding('install_reading_total') }},
    'no reading of ' || missing_rates as observed,
    'a first reading of every rate' as expected
from tested
where missing_rates is not null
