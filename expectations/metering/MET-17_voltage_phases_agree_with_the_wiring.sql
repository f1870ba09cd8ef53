/*
sentence: A meter in 3P3W wiring is not on a low-voltage supply, and has no voltage of phase B.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Voltages of the wrong wiring are judged by the wrong limits.
source: catalogue MET-17
subject: met_measuring_point
not_tested: No meter is in 3P3W wiring.
*/
-- tested
select
    points._raw_id as raw_id,
    points.account_no,
    points.wiring_code,
    supplies.voltage_level_code,
    exists (
        select 1
        from staging.int_curves_latest as curves
        inner join quality.tonight as tonight on tonight.table_name = 'met_interval_96' and tonight.raw_id = curves._raw_id
        where
            curves.metering_point_no = points.metering_point_no
            and curves.quantity_code = 'U'
            and curves.phase_code = 'B'
            and quality.slot_sum(curves.values_by_slot) > 0
    ) as has_voltage_b
from staging.stg_metering__measuring_points as points
left join staging.stg_marketing__metering_points as supplies
    on
        points.metering_point_no = supplies.metering_point_no
        and supplies.valid_from <= :business_date
        and (supplies.valid_to is null or :business_date < supplies.valid_to)
where points.wiring_code = '3P3W'
-- violations
select
    raw_id,
    account_no,
    'wiring' as column_name,
    case when has_voltage_b then '3P3W with voltage on phase B' else '3P3W on ' || voltage_level_code end as observed,
    'no voltage on phase B, a supply above AC380V' as expected
from tested
where has_voltage_b or voltage_level_code in ('AC220V', 'AC380V')
