with interruptions as (
    select * from {{ ref('fct_interruptions') }}
    where entity_kind_code = 'ACCOUNT' and side_code = 'CUSTOMER'
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account and account_no is not null
),

register_months as (
    select * from {{ ref('int_register_points_monthly') }}
    where energy_kind_code = 'ACTIVE'
),

dates as (
    select * from {{ ref('dim_dates') }}
),

windows as (
    select
        interruptions.*,
        dates.day_type_code,
        {{ parameter('reliability_parameters', 'ens_reference_days', on='interruptions.started_date') }} as wanted_days,
        {{ parameter('reliability_parameters', 'ens_reference_window_days', on='interruptions.started_date') }}::integer
            as window_days
    from interruptions
    inner join dates on interruptions.started_date = dates.calendar_date
),

-- A reference day was measured in full at every point of the account.
full_days as (
    select
        energy_days.account_no,
        energy_days.reading_date,
        dates.day_type_code,
        sum(energy_days.consumption_kwh) / 24 as average_kw
    from energy_days
    inner join dates on energy_days.reading_date = dates.calendar_date
    group by energy_days.account_no, energy_days.reading_date, dates.day_type_code
    having bool_and(energy_days.valid_slots = energy_days.expected_slots and energy_days.consumption_kwh is not null)
),

reference_days as (
    select
        windows.outage_id,
        windows.wanted_days,
        full_days.average_kw,
        row_number() over (
            partition by windows.outage_id
            order by abs(full_days.reading_date - windows.started_date), full_days.reading_date
        ) as nearness
    from windows
    inner join full_days
        on
            windows.entity_no = full_days.account_no
            and windows.day_type_code = full_days.day_type_code
            and full_days.reading_date between windows.started_date - windows.window_days
            and windows.started_date + windows.window_days
            and full_days.reading_date <> windows.started_date
),

averages as (
    select
        outage_id,
        avg(average_kw) as average_kw
    from reference_days
    where nearness <= wanted_days
    group by outage_id
    having count(*) = max(wanted_days)
),

-- Where curves are not kept as far back, the registers tell the mean power of the whole month.
month_averages as (
    select
        account_no,
        month_start_date,
        sum(energy_kwh)
        / ((month_start_date + interval '1 month')::date - month_start_date)
        / 24 as average_kw
    from register_months
    group by account_no, month_start_date
    having bool_and(energy_kwh is not null)
),

final as (
    select
        windows.outage_id as customer_outage_id,
        windows.entity_no as account_no,
        windows.started_date,
        (windows.known_minutes / 60)::numeric(14, 6) as outage_hours,
        case
            when averages.outage_id is not null then 'REFERENCE_DAYS'
            when month_averages.account_no is not null then 'REGISTER_MONTH'
        end as basis_code,
        coalesce(averages.average_kw, month_averages.average_kw)::numeric(18, 6) as average_kw,
        (windows.known_minutes / 60 * coalesce(averages.average_kw, month_averages.average_kw))::numeric(18, 4)
            as energy_not_supplied_kwh
    from windows
    left join averages on windows.outage_id = averages.outage_id
    left join month_averages
        on
            windows.entity_no = month_averages.account_no
            and date_trunc('month', windows.started_date::timestamp)::date = month_averages.month_start_date
)

select * from final
