/*
sentence: A curve is not, slot for slot, that of another day of its point within {days} days, nor that of another account's point on its day while its register departs by more than {departure} of it.
axis: arbitrary
dimension: uniqueness
severity: warn
owner: metering office
reason: A copied curve says nothing of its own day, also where the register was made to fit.
source: project rule; each curve alone, no test of chance, since curves of {least_values} or more values are equal by chance in no utility
subject: met_interval_96
not_tested: No curve of energy, power, current or voltage landed tonight.
population: newest curves of energy, power, current and voltage
tests: touched rows
reads: [int_curves_latest, int_metering_points_current, stg_metering__register_freezes]
parameters: [days, departure, least_values]
*/
-- tested
with limits as materialized (
    select
        :days::integer as days,
        :least_values as least_values,
        :departure as departure
),

landed as materialized (
    select
        landed._raw_id,
        landed.metering_point_no,
        landed.reading_date,
        landed.curve_hash,
        (
            select count(distinct slots.slot_value)
            from unnest(landed.values_by_slot) as slots (slot_value)
            where slots.slot_value <> 0
        ) as different_values
    from {{ touched_curves('staging.int_curves_latest') }} as landed
    where landed.quantity_code in ('E+', 'P', 'I', 'U')
),

dates as materialized (
    select distinct landed.reading_date + shifts.days as reading_date
    from landed
    cross join limits
    cross join lateral generate_series(-limits.days, limits.days) as shifts (days)
),

-- Equal curves have one hash, by which copies stand beside each other. A curve of few values, as of a plant that stands
-- still, may be equal to another one by right.
hashed as materialized (
    select
        curves._raw_id,
        curves.metering_point_no,
        coalesce(points.account_no, curves.metering_point_no) as holder_no,
        points.meter_asset_no,
        case when curves.is_primary then 1 / nullif(points.multiplier, 0) else 1 end as to_register,
        curves.reading_date,
        curves.quantity_code,
        curves.phase_code,
        curves.received_at,
        curves.values_by_slot,
        curves.curve_hash
    from (
        select alike.*
        from staging.int_curves_latest as alike
        where
            alike.curve_hash = any (array(
                select landed.curve_hash
                from landed
                cross join limits
                where landed.different_values >= limits.least_values
            ))
        offset 0 -- by the index of the hash, and of no other column
    ) as curves
    left join staging.int_metering_points_current as points on curves.metering_point_no = points.metering_point_no
    where
        curves.quantity_code in ('E+', 'P', 'I', 'U')
        and curves.reading_date in (select dates.reading_date from dates)
),

beside as (
    select
        hashed.*,
        lag(hashed.reading_date) over of_point as copied_date,
        min(hashed.holder_no) over of_day <> max(hashed.holder_no) over of_day as is_of_two
    from hashed
    window
        of_point as (
            partition by hashed.metering_point_no, hashed.quantity_code, hashed.phase_code, hashed.curve_hash
            order by hashed.received_at, hashed.reading_date, hashed._raw_id
        ),
        of_day as (partition by hashed.reading_date, hashed.quantity_code, hashed.phase_code, hashed.curve_hash)
),

copies as materialized (
    select beside.*
    from beside
    cross join limits
    where abs(beside.copied_date - beside.reading_date) <= limits.days or beside.is_of_two
),

registers as (
    select registers.meter_asset_no, registers.reading_date, max(registers.register_reading_kwh) as register_kwh
    from staging.stg_metering__register_freezes as registers
    where
        registers.meter_asset_no = any (array(select copies.meter_asset_no from copies))
        and {{ is_total_register('registers', 'DAY') }}
    group by registers.meter_asset_no, registers.reading_date
),

-- Of one curve at two points, that one is copied that departs most from the register of its own point, and by more than a
-- rounding; two that both agree with their registers are two of one kind.
apart as (
    select
        copies._raw_id,
        abs(quality.slot_sum(copies.values_by_slot) * copies.to_register / nullif(closing.register_kwh - opening.register_kwh, 0) - 1)
            as departure
    from copies
    left join registers as closing
        on copies.meter_asset_no = closing.meter_asset_no and copies.reading_date = closing.reading_date
    left join registers as opening
        on copies.meter_asset_no = opening.meter_asset_no and copies.reading_date - 1 = opening.reading_date
    where copies.is_of_two and copies.quantity_code = 'E+'
),

ranked as (
    select
        copies.metering_point_no,
        copies.reading_date,
        apart.departure is null
        or (apart.departure > limits.departure and apart.departure = max(apart.departure) over same) as departs_most
    from copies
    cross join limits
    inner join apart on copies._raw_id = apart._raw_id
    window same as (partition by copies.reading_date, copies.phase_code, copies.curve_hash)
)

select
    landed._raw_id as raw_id,
    coalesce(points.account_no, landed.metering_point_no) as account_no,
    landed.reading_date,
    copies.copied_date,
    coalesce(copies.is_of_two and coalesce(ranked.departs_most, true), false) as is_of_another_point
from landed
left join staging.int_metering_points_current as points on landed.metering_point_no = points.metering_point_no
left join copies on landed._raw_id = copies._raw_id
left join ranked on landed.metering_point_no = ranked.metering_point_no and landed.reading_date = ranked.reading_date
-- violations
select
    {{ finding('v1', day='reading_date') }},
    case
        when copied_date is not null then 'the curve of ' || copied_date
        else 'the curve of another point'
    end as observed,
    'a curve of its own' as expected
from tested
where copied_date is not null or is_of_another_point
