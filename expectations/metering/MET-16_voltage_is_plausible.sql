/*
sentence: A secondary voltage lies in the range of its wiring; 0 V only during an outage.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: A voltage outside is a wrong ratio, a wrong scale or a code for a fault, and would count as out of band.
source: project rule; curves are secondary volts
subject: met_interval_96
quarantines: met_interval_96
not_tested: No voltage curve of a point with known wiring landed tonight.
population: voltage curves of points whose wiring is known
tests: touched rows
reads: [int_customer_outages, int_metering_points_current, stg_metering__curves]
parameters: [high_3p3w_v, high_3p4w_v, high_lv_v, low_3p3w_v, low_3p4w_v, low_lv_v, outage_tolerance_minutes]
*/
-- tested
with points as (
    select
        points.*,
        {%- for side in ['low', 'high'] %}
        case
            when points.wiring_code = '3P3W' then :{{ side }}_3p3w_v
            when points.metering_side_code = 'HV_HV' then :{{ side }}_3p4w_v
            else :{{ side }}_lv_v
        end as {{ side }}_v{{ ',' if not loop.last }}
        {%- endfor %}
    from staging.int_metering_points_current as points
    where points.wiring_code is not null
),

curves_touched as (
    select
        {{ row_of('curves', account='points') }},
        curves.metering_point_no,
        curves.reading_date,
        curves.values_by_slot,
        points.low_v * case when curves.is_primary then points.pt_ratio else 1 end as low,
        points.high_v * case when curves.is_primary then points.pt_ratio else 1 end as high
    from {{ touched_curves('staging.stg_metering__curves') }} as curves
    inner join points on curves.metering_point_no = points.metering_point_no
    -- Phase B has no voltage of its own in 3P3W wiring.
    where curves.quantity_code = 'U' and not (curves.phase_code = 'B' and points.wiring_code = '3P3W')
)

select
    curves_touched.raw_id,
    curves_touched.reading_date,
    curves_touched.account_no,
    curves_touched.low,
    curves_touched.high,
    outside.slot_no,
    outside.slot_value
from curves_touched
left join lateral (
    select slots.slot_no, slots.slot_value
    from unnest(curves_touched.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where -- Most curves have no slot outside; they are not unfolded.
        (
            (curves_touched.low::double precision <= all (curves_touched.values_by_slot)) is false
            or (curves_touched.high::double precision >= all (curves_touched.values_by_slot)) is false
        )
        and (slots.slot_value < curves_touched.low or slots.slot_value > curves_touched.high)
        and not (
            slots.slot_value = 0
            and exists (
                select 1
                from staging.int_customer_outages as outages
                where
                    outages.metering_point_no = curves_touched.metering_point_no
                    and outages.started_at - make_interval(mins => :outage_tolerance_minutes::integer)
                        <= {{ slot_end_at('curves_touched.reading_date', 'slots.slot_no') }}
                    and coalesce(outages.ended_at, 'infinity'::timestamptz) + make_interval(mins => :outage_tolerance_minutes::integer)
                        >= {{ slot_end_at('curves_touched.reading_date', 'slots.slot_no') }}
            )
        )
    order by slots.slot_no
    limit 1
) as outside on true
-- violations
select
    {{ finding(column_sql="'v' || slot_no", day='reading_date') }},
    slot_value || ' V' as observed,
    trim_scale(low) || ' to ' || trim_scale(high) || ' V, or 0 V in an outage' as expected
from tested
where slot_no is not null
