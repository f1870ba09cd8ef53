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
tests: touched points
touched_by: [met_register_freeze, met_interval_96]
reads: [int_curves_latest, int_metering_points_current, quality.open_findings, stg_metering__register_freezes]
parameters: [share]
*/
-- tested
with touched_months as (
    select registers.meter_asset_no, {{ month_of('registers.reading_date') }} as month
    from staging.stg_metering__register_freezes as registers
    where {{ is_new_or_open('registers', 'met_register_freeze') }} and {{ is_total_register('registers', 'MONTH') }}
    union
    select points.meter_asset_no, {{ month_of('curves.reading_date') }} as month
    from {{ touched_curves('staging.int_curves_latest') }} as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    where curves.quantity_code = 'P' and curves.phase_code = 'T'
),

-- Meter by meter, each by an index: on most nights no month is over, and nothing more is read.
registers as (
    select of_meter.*, touched_months.month
    from touched_months
    cross join lateral (
        select registers._raw_id, registers.meter_asset_no, registers.reading_date, registers.max_demand_kw
        from staging.stg_metering__register_freezes as registers
        where
            registers.meter_asset_no = touched_months.meter_asset_no
            and {{ is_total_register('registers', 'MONTH') }}
            and registers.max_demand_kw is not null
        offset 0
    ) as of_meter
    where {{ month_of('of_meter.reading_date') }} = touched_months.month
)

select
    registers._raw_id as raw_id,
    registers.reading_date,
    registers.max_demand_kw,
    max(highest.power_kw) as power_kw
from registers
inner join staging.int_metering_points_current as points on registers.meter_asset_no = points.meter_asset_no
cross join lateral (
    select
        count(*) as curves,
        max((select max(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value)))::numeric as power_kw
    from staging.int_curves_latest as curves
    where
        curves.metering_point_no = points.metering_point_no
        and curves.reading_date >= registers.month
        and curves.reading_date < {{ next_month('registers.month') }}
        and curves.quantity_code = 'P'
        and curves.phase_code = 'T'
        and not curves.is_primary
) as highest
where highest.curves > 0
group by registers._raw_id, registers.reading_date, registers.max_demand_kw
-- violations
select
    {{ finding('max_demand_kw', day='reading_date', account=false) }},
    max_demand_kw || ' kW' as observed,
    'at least ' || round(:share * power_kw, 4) || ' kW' as expected
from tested
where max_demand_kw < :share * power_kw
