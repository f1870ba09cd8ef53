-- What other accounts take behind a counted point of an account. By the difference of meters it is what the meters behind counted;
-- a fixed quantity or share is delivered by no source, and then nobody knows what is left.
with months as (
    select * from {{ ref('dim_months') }}
),

points as (
    select * from {{ ref('dim_metering_points') }}
    where account_no is not null
),

days as (
    select * from {{ ref('fct_energy_daily') }}
),

behind as (
    select distinct
        above.account_no,
        below.metering_point_no,
        below.split_method_code,
        months.month_start_date,
        months.next_month_start_date
    from points as below
    inner join points as above
        on below.parent_metering_point_no = above.metering_point_no and below.account_no <> above.account_no
    inner join months
        on
            {{ is_valid_on('below', 'months.report_date') }}
            and {{ is_valid_on('above', 'months.report_date') }}
    where above.is_counted_in_account and below.role_code <> 'CHECK'
),

measured as (
    select
        behind.account_no,
        behind.month_start_date,
        behind.metering_point_no,
        behind.split_method_code,
        sum(days.consumption_kwh) as consumption_kwh
    from behind
    left join days
        on
            behind.metering_point_no = days.metering_point_no
            and behind.month_start_date <= days.reading_date
            and days.reading_date < behind.next_month_start_date
    group by behind.account_no, behind.month_start_date, behind.metering_point_no, behind.split_method_code
),

final as (
    select
        account_no,
        month_start_date,
        count(*)::integer as sub_points,
        case
            when bool_and(coalesce(split_method_code = 'METERED' and consumption_kwh is not null, false)) then sum(consumption_kwh)
        end::numeric(20, 4) as sub_metered_kwh
    from measured
    group by account_no, month_start_date
)

select * from final
