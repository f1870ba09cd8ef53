{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date', 'reach_days': 1}}
) }}

with energy_curves as (
    select * from {{ touched(ref('int_curves_latest'), days_before=1, days_after=1) }}
    where quantity_code = 'E+' and phase_code = 'T'
),

other_curves as (
    select * from {{ touched(ref('int_curves_latest')) }}
    where quantity_code in ('RQ1', 'RQ2', 'RQ3', 'RQ4', 'PF')
),

outages as (
    select * from {{ ref('int_customer_outages') }}
),

followed as (
    select
        metering_point_no,
        reading_date,
        values_by_slot,
        case when lag(reading_date) over by_day = reading_date - 1 then lag(values_by_slot[96]) over by_day end
            as last_value_before,
        case when lead(reading_date) over by_day = reading_date + 1 then lead(values_by_slot[1]) over by_day end
            as first_value_after
    from energy_curves
    window by_day as (partition by metering_point_no order by reading_date)
),

-- Days without a single zero cannot hold such a slot and are left folded.
candidates as (
    select
        followed.metering_point_no,
        followed.reading_date,
        slots.slot_no::integer as slot_no,
        case when slots.slot_no = 1 then followed.last_value_before else followed.values_by_slot[slots.slot_no - 1] end
            as value_before,
        case when slots.slot_no = 96 then followed.first_value_after else followed.values_by_slot[slots.slot_no + 1] end
            as value_after
    from followed
    cross join lateral unnest(followed.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where 0 = any(followed.values_by_slot) and slots.slot_value = 0
),

isolated as (
    select * from candidates
    where value_before > 0 and value_after > 0 and {{ is_touched('metering_point_no', 'reading_date') }}
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
    inner join other_curves
        on
            isolated.metering_point_no = other_curves.metering_point_no
            and isolated.reading_date = other_curves.reading_date
    group by
        isolated.metering_point_no,
        isolated.reading_date,
        isolated.slot_no,
        isolated.value_before,
        isolated.value_after
    having bool_and(coalesce(other_curves.values_by_slot[isolated.slot_no] = 0, false))
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
