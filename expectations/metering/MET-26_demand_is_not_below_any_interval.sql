/*
sentence: The maximum demand of a month is at least {share} of the highest average power of its slots.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: A demand below an interval was cleared late or read at another point.
source: project rule
subject: met_register_freeze
not_tested: No month freeze has curves of its month.
population: month freezes of demand with curves of their month
reads: [int_curves_latest, int_metering_points_current, stg_metering__register_freezes]
parameters: [share]
*/
-- tested
with highest as (
    select
        points.meter_asset_no,
        {{ month_of('curves.reading_date') }} as month,
        count(distinct curves.reading_date) as days_read,
        max((select max(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value)))::numeric as power_kw
    from staging.int_curves_latest as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    where curves.quantity_code = 'P' and curves.phase_code = 'T' and not curves.is_primary
    group by points.meter_asset_no, date_trunc('month', curves.reading_date::timestamp)
)

select
    registers._raw_id as raw_id,
    registers.reading_date,
    registers.max_demand_kw,
    highest.power_kw
from staging.stg_metering__register_freezes as registers
inner join highest
    on registers.meter_asset_no = highest.meter_asset_no and {{ month_of('registers.reading_date') }} = highest.month
where {{ is_total_register('registers', 'MONTH') }} and registers.max_demand_kw is not null
-- violations
select
    {{ finding('max_demand_kw', day='reading_date', account=false) }},
    max_demand_kw || ' kW' as observed,
    'at least ' || round(:share * power_kw, 4) || ' kW' as expected
from tested
where max_demand_kw < :share * power_kw
