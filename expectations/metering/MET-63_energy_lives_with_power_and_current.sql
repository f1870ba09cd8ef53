/*
sentence: The energy of {flat_slots} slots is not one value while power varies, nor is it zero with power for {zero_slots} slots while current flows.
axis: arbitrary
dimension: plausibility
severity: warn
owner: metering office
reason: Slots were filled with their mean, or with zeros, and the other channels of the point tell what was there.
source: project rule; each day alone, no test of chance
subject: met_interval_96
not_tested: No curve of energy landed tonight beside one of power.
population: energy curves with the power of their day
tests: touched points
reads: [int_curves_latest, int_metering_points_current, stg_metering__curves]
parameters: [apart_digits, current_share, flat_slots, zero_slots]
*/
-- tested
with limits as materialized (
    select
        :flat_slots::integer as flat_slots,
        :zero_slots::integer as zero_slots,
        :apart_digits::double precision as apart_digits,
        :current_share::double precision as current_share
),

days as materialized (
    select
        energy._raw_id,
        power._raw_id as power_raw_id,
        energy.reading_date,
        points.account_no,
        energy.values_by_slot as energy_by_slot,
        power.values_by_slot as power_by_slot,
        current_a.values_by_slot as current_a_by_slot,
        current_c.values_by_slot as current_c_by_slot,
        export.values_by_slot as export_by_slot,
        -- power of the day's slots in the scale of its energy
        0.25 * case
            when energy.is_primary = power.is_primary then 1
            when energy.is_primary then points.multiplier
            else 1 / nullif(points.multiplier, 0)
        end::double precision as to_energy
    from {{ days_touched(['E+', 'P', 'I']) }} as touched
    inner join {{ curves_of_dates_touched() }} as energy on {{ is_curve_of('energy', 'touched', 'E+') }}
    inner join {{ curves_of_dates_touched() }} as power on {{ is_curve_of('power', 'touched', 'P') }}
    left join {{ curves_of_dates_touched() }} as current_a on {{ is_curve_of('current_a', 'touched', 'I', 'A') }}
    left join {{ curves_of_dates_touched() }} as current_c on {{ is_curve_of('current_c', 'touched', 'I', 'C') }}
    left join {{ curves_of_dates_touched() }} as export on {{ is_curve_of('export', 'touched', 'E-') }}
    left join staging.int_metering_points_current as points on energy.metering_point_no = points.metering_point_no
),

-- A sign for each slot: 1 where energy is that of the slot before, and 1 where energy and power are zero.
signs as materialized (
    select
        days.*,
        array_to_string(array(
            select case when pairs.a = pairs.b and pairs.a > 0 then '1' else '0' end
            from unnest(days.energy_by_slot[2:], days.energy_by_slot[:95]) as pairs (a, b)
        ), '') as flat,
        case when 0 = any(days.energy_by_slot) then array_to_string(array(
            select case when slots.e = 0 and slots.p = 0 and coalesce(slots.x, 0) = 0 then '1' else '0' end
            from unnest(days.energy_by_slot, days.power_by_slot, days.export_by_slot) as slots (e, p, x)
        ), '') end as zero
    from days
),

-- Where a stretch begins, and how long it lasts.
stretches as (
    select signs._raw_id, 'flat' as kind, starts.first_slot, strpos(substr(signs.flat, starts.first_slot) || '0', '0') as slots
    from signs
    cross join limits
    cross join lateral generate_series(1, 96) as starts (first_slot)
    where
        signs.flat like '%' || repeat('1', limits.flat_slots - 1) || '%'
        and substr(signs.flat, starts.first_slot, limits.flat_slots - 1) = repeat('1', limits.flat_slots - 1)
        and substr('0' || signs.flat, starts.first_slot, 1) = '0'
    union all
    select signs._raw_id, 'zero', starts.first_slot, strpos(substr(signs.zero, starts.first_slot) || '0', '0') - 1
    from signs
    cross join limits
    cross join lateral generate_series(1, 96) as starts (first_slot)
    where
        signs.zero like '%' || repeat('1', limits.zero_slots) || '%'
        and substr(signs.zero, starts.first_slot, limits.zero_slots) = repeat('1', limits.zero_slots)
        and substr('0' || signs.zero, starts.first_slot, 1) = '0'
),

measured as (
    select
        stretches._raw_id,
        stretches.kind,
        stretches.first_slot,
        stretches.slots,
        max(slots.e) filter (where slots.is_within) as energy,
        count(*) filter (
            where slots.is_within and abs(slots.p * signs.to_energy - slots.e) > limits.apart_digits * digits.last_digit
        ) as slots_apart,
        avg(slots.i) filter (where slots.is_within) as current_within,
        avg(slots.i) filter (where slots.e > 0) as current_of_energy,
        avg(slots.e) filter (where slots.e > 0) as energy_beside,
        limits.apart_digits * digits.last_digit as least_energy,
        limits.current_share
    from stretches
    inner join signs on stretches._raw_id = signs._raw_id
    cross join limits
    cross join lateral (
        select power(10::double precision, -max(scale(trim_scale(of_day.e::numeric)))) as last_digit
        from unnest(signs.energy_by_slot) as of_day (e)
    ) as digits
    cross join lateral (
        select
            of_day.e,
            of_day.p,
            coalesce(of_day.a + of_day.c, of_day.a, of_day.c) as i,
            of_day.slot_no between stretches.first_slot and stretches.first_slot + stretches.slots - 1 as is_within
        from unnest(signs.energy_by_slot, signs.power_by_slot, signs.current_a_by_slot, signs.current_c_by_slot) with ordinality
            as of_day (e, p, a, c, slot_no)
    ) as slots
    group by
        stretches._raw_id, stretches.kind, stretches.first_slot, stretches.slots, limits.apart_digits, digits.last_digit,
        limits.current_share
),

invented as (
    select *
    from measured
    where
        (kind = 'flat' and 2 * slots_apart >= slots)
        or (
            kind = 'zero'
            and current_within >= current_share * current_of_energy
            and energy_beside * current_within / nullif(current_of_energy, 0) >= least_energy
        )
)

select
    days._raw_id as raw_id,
    days.reading_date,
    days.account_no,
    invented.kind,
    invented.first_slot,
    invented.slots,
    invented.energy::numeric as energy,
    round(invented.current_within::numeric, 2) as current_within
from days
left join invented on days._raw_id = invented._raw_id
union all
-- Power that was zeroed with its energy is told too.
select
    days.power_raw_id,
    days.reading_date,
    days.account_no,
    invented.kind,
    invented.first_slot,
    invented.slots,
    invented.energy::numeric,
    round(invented.current_within::numeric, 2)
from days
left join invented on days._raw_id = invented._raw_id and invented.kind = 'zero'
-- violations
select
    {{ finding(column_sql="'v' || first_slot", day='reading_date') }},
    case kind
        when 'flat' then energy || ' in ' || slots || ' slots while power varies'
        else '0 in ' || slots || ' slots with ' || current_within || ' A'
    end as observed,
    'energy of what power and current show' as expected
from tested
where kind is not null
