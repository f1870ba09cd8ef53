with supply_interruptions as (
    select * from {{ ref('fct_interruptions') }}
    where entity_kind_code = 'ORGANISATION' and side_code = 'SUPPLY'
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

minutes_by_day as (
    select
        entity_no as org_no,
        started_date,
        sum(customers * known_minutes) as customer_minutes
    from supply_interruptions
    where is_sustained_ieee_1366
    group by entity_no, started_date
),

-- An interruption counts on the day on which it starts, also past midnight; days without any are in no sample.
days as (
    select
        minutes_by_day.org_no,
        minutes_by_day.started_date as event_date,
        extract(year from minutes_by_day.started_date)::integer as event_year,
        minutes_by_day.customer_minutes / sum(feeders.customers_connected) as daily_saidi_min
    from minutes_by_day
    inner join feeders
        on
            minutes_by_day.org_no = feeders.org_no
            and {{ is_valid_on('feeders', 'minutes_by_day.started_date') }}
    group by minutes_by_day.org_no, minutes_by_day.started_date, minutes_by_day.customer_minutes
    having sum(feeders.customers_connected) > 0 and minutes_by_day.customer_minutes > 0
),

recorded as (
    select min(started_date) as first_date
    from supply_interruptions
),

reporting_years as (
    select
        years.org_no,
        years.event_year,
        {{ parameter('reliability_parameters', 'major_event_years', on='make_date(years.event_year, 1, 1)') }}::integer
            as history_years,
        {{ parameter('reliability_parameters', 'major_event_beta', on='make_date(years.event_year, 1, 1)') }}
            as deviations
    from (select distinct org_no, event_year from days) as years
),

-- The records must reach back to the first month of the first of the sequential years before the reporting year.
samples as (
    select
        reporting_years.org_no,
        reporting_years.event_year,
        reporting_years.deviations,
        bool_or(
            recorded.first_date < make_date(reporting_years.event_year - reporting_years.history_years, 2, 1)
        ) as has_history,
        count(history.event_date)::integer as sample_days,
        avg(ln(history.daily_saidi_min)) as alpha,
        stddev_samp(ln(history.daily_saidi_min)) as beta
    from reporting_years
    cross join recorded
    left join days as history
        on
            reporting_years.org_no = history.org_no
            and history.event_year < reporting_years.event_year
            and reporting_years.event_year - reporting_years.history_years <= history.event_year
    group by reporting_years.org_no, reporting_years.event_year, reporting_years.deviations
),

thresholds as (
    select
        *,
        case when has_history then exp(alpha + deviations * beta) end as threshold_min
    from samples
),

-- Compared with the unrounded threshold.
final as (
    select
        days.org_no,
        days.event_date,
        days.daily_saidi_min::numeric(18, 8) as daily_saidi_min,
        case when thresholds.threshold_min is null then 'not enough history' else '2.5 beta' end as basis,
        thresholds.sample_days,
        case when thresholds.threshold_min is not null then thresholds.alpha end::numeric(18, 10) as alpha,
        case when thresholds.threshold_min is not null then thresholds.beta end::numeric(18, 10) as beta,
        thresholds.threshold_min::numeric(18, 10) as threshold_min,
        days.daily_saidi_min > thresholds.threshold_min as is_major_event_day
    from days
    inner join thresholds on days.org_no = thresholds.org_no and days.event_year = thresholds.event_year
)

select * from final
