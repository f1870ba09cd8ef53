{{ config(tags=['as_delivered']) }}

-- The runs of slots of one rate, in the periods that the tariff has on each date that is looked at.
with dates as (
    select distinct reading_date from {{ ref('int_point_days_touched') }}
),

periods as (
    select * from {{ ref('tou_periods') }}
),

rated as (
    select
        dates.reading_date,
        periods.slot_no,
        periods.rate_code,
        periods.slot_no - row_number() over (
            partition by dates.reading_date, periods.rate_code order by periods.slot_no
        ) as run_no
    from (
        select
            dates.reading_date,
            {{ text_parameter('mart_parameters', 'tou_scheme_code', on='dates.reading_date') }} as scheme_code
        from dates
    ) as dates
    inner join periods
        on
            dates.scheme_code = periods.scheme_code
            and extract(month from dates.reading_date)::integer = periods.month_of_year
            and {{ is_valid_on('periods', 'dates.reading_date') }}
),

final as (
    select
        reading_date,
        rate_code,
        min(slot_no)::integer as first_slot,
        max(slot_no)::integer as last_slot
    from rated
    group by reading_date, rate_code, run_no
)

select * from final
