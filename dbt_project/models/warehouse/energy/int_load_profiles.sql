{{ config(
    indexes=[{'columns': ['account_no', 'month_start_date']}, {'columns': ['month_start_date']}],
    meta={'touched_by': {'unit': 'account_no', 'day': 'month_start_date', 'reaches_month': true, 'whole_by': ['dim_closed_months']}}
) }}

with months as (
    select
        months.month_start_date,
        months.next_month_start_date,
        months.report_date,
        months.has_collection,
        row_number() over (order by months.month_start_date desc) as months_back
    from {{ ref('dim_closed_months') }} as months
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

metering_points as (
    select * from {{ touched(ref('fct_energy_daily'), day='reading_date', days_after=30) }}
    where is_counted_in_account and account_no is not null
),

curves as (
    select * from {{ touched(ref('int_curves_validated'), day='reading_date', days_after=30) }}
    where
        phase_code = 'T' and quantity_code in ('E+', 'P') and is_counted_in_account and account_no is not null
        and slot_states = repeat('V', 96)
),

working_days as (
    select * from {{ ref('dim_dates') }}
    where is_working_day
),

-- The last closed month always, so that an account without a profile is seen to have none.
chosen_months as (
    select * from months
    where
        months_back <= {{ parameter('load_cluster_parameters', 'months_clustered', on='months.report_date') }}
        and (has_collection or months_back = 1)
),

account_months as (
    select
        accounts.account_no,
        chosen_months.month_start_date,
        {{ parameter('load_cluster_parameters', 'min_profile_days', on='chosen_months.report_date') }} as min_profile_days
    from accounts
    inner join chosen_months
        on
            accounts.open_date <= chosen_months.report_date
            and (accounts.close_date is null or chosen_months.month_start_date <= accounts.close_date)
    where {{ is_touched('accounts.account_no', 'chosen_months.month_start_date') }}
),

points_by_day as (
    select
        metering_points.account_no,
        metering_points.reading_date,
        chosen_months.month_start_date,
        count(*) as counted_points
    from metering_points
    inner join working_days on metering_points.reading_date = working_days.calendar_date
    inner join chosen_months
        on
            chosen_months.month_start_date <= metering_points.reading_date
            and metering_points.reading_date < chosen_months.next_month_start_date
    group by metering_points.account_no, metering_points.reading_date, chosen_months.month_start_date
),

chosen as (
    select distinct on (curves.metering_point_no, curves.reading_date)
        curves.account_no,
        curves.reading_date,
        points_by_day.month_start_date,
        points_by_day.counted_points,
        curves.values_by_slot,
        curves.primary_factor * case when curves.quantity_code = 'E+' then 4 else 1 end as kw_factor
    from curves
    inner join points_by_day
        on curves.account_no = points_by_day.account_no and curves.reading_date = points_by_day.reading_date
    order by curves.metering_point_no, curves.reading_date, curves.quantity_code
),

-- A day with an interruption, a missing slot or a silent point is not the account's ordinary day.
whole_days as (
    select
        account_no,
        reading_date
    from chosen
    group by account_no, reading_date
    having count(*) = max(counted_points)
),

slots as (
    select
        chosen.account_no,
        chosen.month_start_date,
        unfolded.slot_no,
        sum(unfolded.slot_value::numeric * chosen.kw_factor) as slot_kw,
        count(distinct chosen.reading_date)::integer as profile_days
    from chosen
    inner join whole_days
        on chosen.account_no = whole_days.account_no and chosen.reading_date = whole_days.reading_date
    cross join lateral unnest(chosen.values_by_slot) with ordinality as unfolded (slot_value, slot_no)
    group by chosen.account_no, chosen.month_start_date, unfolded.slot_no
),

means as (
    select
        account_no,
        month_start_date,
        max(profile_days) as profile_days,
        avg(slot_kw) as mean_kw
    from slots
    group by account_no, month_start_date
),

profiles as (
    select
        slots.account_no,
        slots.month_start_date,
        array_agg((slots.slot_kw / nullif(means.mean_kw, 0))::numeric(12, 6) order by slots.slot_no) as profile
    from slots
    inner join means on slots.account_no = means.account_no and slots.month_start_date = means.month_start_date
    group by slots.account_no, slots.month_start_date
),

final as (
    select
        account_months.account_no,
        account_months.month_start_date,
        coalesce(means.profile_days, 0) as profile_days,
        case
            when means.profile_days is null then 'NO_WHOLE_DAY'
            when means.profile_days < account_months.min_profile_days then 'TOO_FEW_DAYS'
            when means.mean_kw <= 0 then 'NO_LOAD'
        end as no_profile_code,
        case when means.profile_days >= account_months.min_profile_days and means.mean_kw > 0 then profiles.profile end
            as profile
    from account_months
    left join means
        on account_months.account_no = means.account_no and account_months.month_start_date = means.month_start_date
    left join profiles
        on account_months.account_no = profiles.account_no and account_months.month_start_date = profiles.month_start_date
)

select * from final
