{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['reading_date']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date'}}
) }}

-- In 3P3W wiring phase B has no voltage of its own: zero there tells nothing.
with curves as (
    select * from {{ touched(ref('int_curves_latest')) }}
    where quantity_code = 'U' and phase_code in ('A', 'C')
),

final as (
    select distinct
        metering_point_no,
        reading_date
    from curves
    where 0 = any(values_by_slot)
)

select * from final
