{{ config(
    indexes=[{'columns': ['account_no', 'month_start_date']}, {'columns': ['month_start_date']}],
    meta={'touched_by': {'unit': 'account_no', 'day': 'month_start_date', 'reaches_month': true}}
) }}

with demand_days as (
    select * from {{ touched(ref('fct_demand_daily'), day='reading_date', days_after=30) }}
),

months as (
    select * from {{ ref('dim_months') }}
),

working_days as (
    select * from {{ ref('working_days') }}
),

days as (
    select
        demand_days.*,
        months.month_start_date,
        working_days.is_working_day,
        {{ parameter('saving_parameters', 'peak_days', 'months.report_date') }} as peak_days,
        row_number() over (
            partition by demand_days.account_no, months.month_start_date
            order by demand_days.max_kw desc nulls last, demand_days.reading_date
        ) as max_rank
    from demand_days
    inner join months
        on demand_days.reading_date between months.month_start_date and months.report_date
    left join working_days on demand_days.reading_date = working_days.date
    where {{ is_touched('demand_days.account_no', 'months.month_start_date') }}
),

final as (
    select
        account_no,
        month_start_date,
        (count(*) filter (where known_slots > 0))::integer as known_days,
        max(max_kw)::numeric(18, 4) as max_kw,
        (array_agg(max_kw_slot_started_at order by max_rank))[1] as max_kw_slot_started_at,
        (max(max_kw) filter (where max_rank > peak_days))::numeric(18, 4) as max_kw_without_peak_days,
        min(min_kw)::numeric(18, 4) as min_kw,
        avg(min_kw)::numeric(18, 6) as base_kw,
        (sum(known_kw_sum) / nullif(sum(known_slots), 0))::numeric(18, 6) as average_kw,
        (
            sum(known_kw_sum) filter (where is_working_day)
            / nullif(sum(known_slots) filter (where is_working_day), 0)
        )::numeric(18, 6) as working_day_average_kw,
        (
            sum(known_kw_sum) filter (where not is_working_day)
            / nullif(sum(known_slots) filter (where not is_working_day), 0)
        )::numeric(18, 6) as rest_day_average_kw,
        sum(sharp_kwh)::numeric(20, 4) as sharp_kwh,
        sum(peak_kwh)::numeric(20, 4) as peak_kwh,
        sum(flat_kwh)::numeric(20, 4) as flat_kwh,
        sum(valley_kwh)::numeric(20, 4) as valley_kwh,
        sum(deep_kwh)::numeric(20, 4) as deep_kwh
    from days
    group by account_no, month_start_date
)

select * from final
