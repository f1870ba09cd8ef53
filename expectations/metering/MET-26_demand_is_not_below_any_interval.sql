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

-- On most nights none of these months is over: then no more is read than the registers of their days.
registers as (
    select registers._raw_id, registers.meter_asset_no, registers.reading_date, registers.max_demand_kw, touched_months.month
    from staging.stg_metering__register_freezes as registers
    inner join touched_months
        on
            registers.meter_asset_no = touched_months.meter_asset_no
            and {{ month_of('registers.reading_date') }} = touched_months.month
    where
        {{ is_total_register('registers', 'MONTH') }}
        and registers.max_demand_kw is not null
        and registers.reading_date = any ({{ days_of_months('touched_months') }})
),

highest as (
    select
        points.meter_asset_no,
        {{ month_of('curves.reading_date') }} as month,
        max((select max(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value)))::numeric as power_kw
    from staging.int_curves_latest as curves
    inner join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    inner join (select distinct meter_asset_no, month from registers) as asked
        on points.meter_asset_no = asked.meter_asset_no and {{ month_of('curves.reading_date') }} = asked.month
    where
        curves.quantity_code = 'P'
        and curves.phase_code = 'T'
        and not curves.is_primary
        and curves.reading_date = any ({{ days_of_months('registers') }})
    group by points.meter_asset_no, date_trunc('month', curves.reading_date::timestamp)
)

select
    registers._raw_id as raw_id,
    registers.reading_date,
    registers.max_demand_kw,
    highest.power_kw
from registers
inner join highest on registers.meter_asset_no = highest.meter_asset_no and registers.month = highest.month
-- violations
select
    {{ finding('max_demand_kw', day='reading_date', account=false) }},
    max_demand_kw || ' kW' as observed,
    'at least ' || round(:share * power_kw, 4) || ' kW' as expected
from tested
where max_demand_kw < :share * power_kw
