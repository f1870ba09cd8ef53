{{ config(indexes=[{'columns': ['account_no', 'reading_date']}]) }}

with curves as (
    select * from {{ ref('fct_curves_validated') }}
    where phase_code = 'T' and quantity_code in ('E+', 'P') and is_counted_in_account and account_no is not null
),

metering_points as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account and account_no is not null
),

tou_periods as (
    select * from {{ ref('tou_periods') }}
    where
        scheme_code = {{ text_parameter('mart_parameters', 'tou_scheme_code') }}
        and valid_from <= {{ business_date() }}
        and (valid_to is null or {{ business_date() }} < valid_to)
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
    select distinct on (metering_point_no, reading_date) *
    from curves
    order by metering_point_no, reading_date, quantity_code
),

-- What the account draws in a slot is known where all its points are: a part of them would pass for a low load.
slots_by_account as (
    select
        chosen.account_no,
        chosen.reading_date,
        slots.slot_no::integer as slot_no,
        sum(
            slots.slot_value::numeric
            * chosen.primary_factor
            * case when chosen.quantity_code = 'P' then 1 else 4 end
        ) as slot_kw,
        sum(slots.slot_value::numeric * chosen.primary_factor) filter (where chosen.quantity_code = 'E+') as slot_kwh,
        count(*) filter (
            where
            slots.slot_value is not null
            and substr(chosen.slot_states, slots.slot_no::integer, 1) in ('V', 'O')
        ) as known_points
    from chosen
    cross join lateral unnest(chosen.values_by_slot) with ordinality as slots (slot_value, slot_no)
    group by chosen.account_no, chosen.reading_date, slots.slot_no
),

labelled as (
    select
        slots_by_account.account_no,
        slots_by_account.reading_date,
        slots_by_account.slot_no,
        slots_by_account.slot_kwh,
        tou_periods.rate_code,
        case
            when slots_by_account.known_points >= points_by_day.counted_points then slots_by_account.slot_kw
        end as known_slot_kw
    from slots_by_account
    inner join points_by_day
        on
            slots_by_account.account_no = points_by_day.account_no
            and slots_by_account.reading_date = points_by_day.reading_date
    left join tou_periods
        on
            extract(month from slots_by_account.reading_date) = tou_periods.month_of_year
            and slots_by_account.slot_no = tou_periods.slot_no
),

final as (
    select
        account_no,
        reading_date,
        max(known_slot_kw)::numeric(18, 4) as max_kw,
        min(known_slot_kw)::numeric(18, 4) as min_kw,
        sum(known_slot_kw)::numeric(24, 4) as known_kw_sum,
        count(known_slot_kw)::integer as known_slots,
        (array_agg(slot_no order by known_slot_kw desc nulls last, slot_no))[1] as max_kw_slot_no,
        {{ slot_start_at(
            'reading_date', '(array_agg(slot_no order by known_slot_kw desc nulls last, slot_no))[1]'
        ) }} as max_kw_slot_started_at,
        (sum(slot_kwh) filter (where rate_code = 'SHARP'))::numeric(20, 4) as sharp_kwh,
        (sum(slot_kwh) filter (where rate_code = 'PEAK'))::numeric(20, 4) as peak_kwh,
        (sum(slot_kwh) filter (where rate_code = 'FLAT'))::numeric(20, 4) as flat_kwh,
        (sum(slot_kwh) filter (where rate_code = 'VALLEY'))::numeric(20, 4) as valley_kwh,
        (sum(slot_kwh) filter (where rate_code = 'DEEP'))::numeric(20, 4) as deep_kwh
    from labelled
    group by account_no, reading_date
)

select * from final
