with curves as (
    select * from {{ ref('int_curves_latest') }}
),

outages as (
    select * from {{ ref('int_customer_outages') }}
),

-- Days without a single zero cannot hold such a slot and are left folded.
candidates as (
    select
        curves.metering_point_no,
        curves.reading_date,
        slots.slot_no::integer as slot_no,
        case
            when slots.slot_no = 1 then day_before.values_by_slot[96]
            else curves.values_by_slot[slots.slot_no - 1]
        end as value_before,
        case
            when slots.slot_no = 96 then day_after.values_by_slot[1]
            else curves.values_by_slot[slots.slot_no + 1]
        end as value_after
    from curves
    cross join lateral unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    left join curves as day_before
        on
            curves.metering_point_no = day_before.metering_point_no
            and curves.reading_date - 1 = day_before.reading_date
            and day_before.quantity_code = 'E+'
            and day_before.phase_code = 'T'
    left join curves as day_after
        on
            curves.metering_point_no = day_after.metering_point_no
            and curves.reading_date + 1 = day_after.reading_date
            and day_after.quantity_code = 'E+'
            and day_after.phase_code = 'T'
    where
        curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
        and 0 = any(curves.values_by_slot)
        and slots.slot_value = 0
),

isolated as (
    select * from candidates
    where value_before > 0 and value_after > 0
),

-- All reactive energy and the power factor that the point delivers must be 0 as well; without either nothing is proven.
confirmed as (
    select
        isolated.metering_point_no,
        isolated.reading_date,
        isolated.slot_no,
        isolated.value_before,
        isolated.value_after
    from isolated
    inner join curves
        on
            isolated.metering_point_no = curves.metering_point_no
            and isolated.reading_date = curves.reading_date
            and curves.quantity_code in ('RQ1', 'RQ2', 'RQ3', 'RQ4', 'PF')
    group by
        isolated.metering_point_no,
        isolated.reading_date,
        isolated.slot_no,
        isolated.value_before,
        isolated.value_after
    having bool_and(coalesce(curves.values_by_slot[isolated.slot_no] = 0, false))
),

final as (
    select
        confirmed.metering_point_no,
        confirmed.reading_date,
        confirmed.slot_no,
        confirmed.value_before::numeric as value_before,
        confirmed.value_after::numeric as value_after
    from confirmed
    where
        not exists (
            select 1
            from outages
            where
                outages.metering_point_no = confirmed.metering_point_no
                and outages.started_at < {{ slot_end_at('confirmed.reading_date', 'confirmed.slot_no') }}
                and coalesce(outages.ended_at, 'infinity'::timestamptz)
                > {{ slot_start_at('confirmed.reading_date', 'confirmed.slot_no') }}
        )
)

select * from final
