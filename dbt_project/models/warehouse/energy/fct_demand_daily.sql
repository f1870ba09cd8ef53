{{ config(
    indexes=[{'columns': ['account_no', 'reading_date']}, {'columns': ['reading_date']}],
    meta={'touched_by': {'unit': 'account_no', 'day': 'reading_date'}}
) }}

with curves as (
    select * from {{ touched(ref('int_curves_validated')) }}
    where phase_code = 'T' and quantity_code in ('E+', 'P') and is_counted_in_account and account_no is not null
),

metering_points as (
    select * from {{ touched(ref('fct_energy_daily')) }}
    where is_counted_in_account and account_no is not null
),

tou_periods as (
    select * from {{ ref('tou_periods') }}
),

days as (
    select
        metering_points.reading_date,
        {{ text_parameter('mart_parameters', 'tou_scheme_code', on='metering_points.reading_date') }} as scheme_code
    from (select distinct reading_date from metering_points) as metering_points
),

rates_by_day as (
    select
        days.reading_date,
        array_agg(tou_periods.rate_code order by tou_periods.slot_no) as rate_codes
    from days
    inner join tou_periods
        on
            days.scheme_code = tou_periods.scheme_code
            and extract(month from days.reading_date)::integer = tou_periods.month_of_year
            and {{ is_valid_on('tou_periods', 'days.reading_date') }}
    group by days.reading_date
),

points_by_day as (
    select
        account_no,
        reading_date,
        count(*)::integer as counted_points
    from metering_points
    group by account_no, reading_date
),

-- Energy of the slot where it is measured; the power curve only where a point delivers no energy.
chosen as (
    select distinct on (curves.metering_point_no, curves.reading_date)
        curves.account_no,
        curves.reading_date,
        points_by_day.counted_points,
        curves.quantity_code = 'E+' as is_energy,
        curves.values_by_slot,
        curves.slot_states,
        curves.primary_factor
    from curves
    inner join points_by_day
        on curves.account_no = points_by_day.account_no and curves.reading_date = points_by_day.reading_date
    order by curves.metering_point_no, curves.reading_date, curves.quantity_code
),

-- What the account draws in a slot is known where all its points are: a part of them would pass for a low load.
slots_of_several_points as (
    select
        chosen.account_no,
        chosen.reading_date,
        slots.slot_no,
        sum(slots.slot_value::numeric * chosen.primary_factor * case when chosen.is_energy then 4 else 1 end) as slot_kw,
        sum(slots.slot_value::numeric * chosen.primary_factor) filter (where chosen.is_energy) as slot_kwh,
        count(*) filter (
            where slots.slot_value is not null and slots.slot_state in ('V', 'O')
        ) = max(chosen.counted_points) as is_known
    from chosen
    cross join lateral unnest(
        chosen.values_by_slot, string_to_array(chosen.slot_states, null)
    ) with ordinality as slots (slot_value, slot_state, slot_no)
    where chosen.counted_points > 1
    group by chosen.account_no, chosen.reading_date, slots.slot_no
),

-- Most accounts have one point: their day stays folded until it is measured.
account_days as (
    select
        account_no,
        reading_date,
        values_by_slot::numeric[] as kw_by_slot,
        case when is_energy then values_by_slot::numeric[] end as kwh_by_slot,
        string_to_array(slot_states, null) as state_by_slot,
        primary_factor * case when is_energy then 4 else 1 end as kw_factor,
        primary_factor as kwh_factor
    from chosen
    where counted_points = 1
    union all
    select
        account_no,
        reading_date,
        array_agg(slot_kw order by slot_no) as kw_by_slot,
        array_agg(slot_kwh order by slot_no) as kwh_by_slot,
        array_agg(case when is_known then 'V' else 'M' end order by slot_no) as state_by_slot,
        1 as kw_factor,
        1 as kwh_factor
    from slots_of_several_points
    group by account_no, reading_date
),

final as (
    select
        account_days.account_no,
        account_days.reading_date,
        (account_days.kw_factor * measured.max_value)::numeric(18, 4) as max_kw,
        (account_days.kw_factor * measured.min_value)::numeric(18, 4) as min_kw,
        (account_days.kw_factor * measured.known_sum)::numeric(24, 4) as known_kw_sum,
        measured.known_slots,
        {{ slot_start_at('account_days.reading_date', 'measured.max_slot_no') }} as max_kw_slot_started_at,
        (account_days.kwh_factor * measured.sharp)::numeric(20, 4) as sharp_kwh,
        (account_days.kwh_factor * measured.peak)::numeric(20, 4) as peak_kwh,
        (account_days.kwh_factor * measured.flat)::numeric(20, 4) as flat_kwh,
        (account_days.kwh_factor * measured.valley)::numeric(20, 4) as valley_kwh,
        (account_days.kwh_factor * measured.deep)::numeric(20, 4) as deep_kwh
    from account_days
    left join rates_by_day on account_days.reading_date = rates_by_day.reading_date
    cross join lateral (
        select
            max(slots.kw) filter (where slots.slot_state in ('V', 'O')) as max_value,
            min(slots.kw) filter (where slots.slot_state in ('V', 'O')) as min_value,
            sum(slots.kw) filter (where slots.slot_state in ('V', 'O')) as known_sum,
            (count(slots.kw) filter (where slots.slot_state in ('V', 'O')))::integer as known_slots,
            (
                array_agg(slots.slot_no order by slots.kw desc nulls last, slots.slot_no)
                filter (where slots.slot_state in ('V', 'O'))
            )[1] as max_slot_no,
            sum(slots.kwh) filter (where slots.rate_code = 'SHARP') as sharp,
            sum(slots.kwh) filter (where slots.rate_code = 'PEAK') as peak,
            sum(slots.kwh) filter (where slots.rate_code = 'FLAT') as flat,
            sum(slots.kwh) filter (where slots.rate_code = 'VALLEY') as valley,
            sum(slots.kwh) filter (where slots.rate_code = 'DEEP') as deep
        from unnest(
            account_days.kw_by_slot, account_days.kwh_by_slot, account_days.state_by_slot, rates_by_day.rate_codes
        ) with ordinality as slots (kw, kwh, slot_state, rate_code, slot_no)
    ) as measured
)

select * from final
