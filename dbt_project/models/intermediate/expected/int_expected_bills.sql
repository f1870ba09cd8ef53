-- A bill for every account and month in which it was supplied, once it is due, or once nearly all others of its month are there:
-- the run of the month has left it out then. Of an account that joins or leaves within a
-- few days of a month's end, those days may be billed with the month beside it.
with points as (
    select * from {{ ref('int_metering_points_as_of') }}
    where role_code = 'BILLING' and is_installed and account_no is not null
),

bills as (
    select * from {{ ref('stg_marketing__bills') }}
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name = 'mkt_bill' and superseded_by is null
),

findings as (
    select * from {{ source('quality', 'findings') }}
    where rule_id = 'EXP-07' and state <> 'fixed'
),

-- Nothing earlier than the first month that was ever delivered; of older months those that are known to lack a bill.
night as (
    select
        current_run.business_date,
        greatest(
            (select min(bills.bill_month) from bills),
            least(
                {{ months_before(month_of('current_run.business_date'), rule_parameter('EXP', 'months', 'current_run.business_date')) }},
                (select min(to_date(findings.record_key ->> 'bill_month', 'YYYYMM')) from findings)
            )
        ) as first_month,
        {{ rule_parameter('EXP', 'least_days', 'current_run.business_date') }} as least_days,
        {{ rule_parameter('EXP', 'run_share', 'current_run.business_date') }} as run_share
    from {{ source('quality', 'current_run') }} as current_run
),

supplied as (
    select
        points.account_no,
        months.month_start::date as bill_month,
        least(max(coalesce(points.valid_to, 'infinity')), {{ next_month('months.month_start') }})
        - greatest(min(points.valid_from), months.month_start::date) as supplied_days,
        min(points.valid_from) as valid_from
    from points
    cross join night
    cross join lateral generate_series(
        greatest({{ month_of('points.valid_from') }}, night.first_month)::timestamp,
        least(points.valid_to - 1, {{ last_month_end('night.business_date') }})::timestamp,
        interval '1 month'
    ) as months (month_start)
    group by points.account_no, months.month_start
),

joined as (
    select
        account_no,
        min({{ month_of('valid_from') }}) as first_month
    from points
    group by account_no
),

arrived as (
    select
        account_no,
        bill_month
    from bills
    where bill_month is not null
    union
    select
        btrim(row_text ->> 'cons_no'),
        {{ month_start("(row_text ->> 'bill_month')") }}
    from rejected
),

due as (
    select
        supplied.*,
        supplied.bill_month = joined.first_month as is_first_month,
        case
            when supplied.bill_month = joined.first_month
                then {{ due_after(next_month('supplied.bill_month'), 'bill', 'first_due_days') }}
            else {{ due_after(next_month('supplied.bill_month'), 'bill') }}
        end as since_date
    from supplied
    inner join joined on supplied.account_no = joined.account_no
    cross join night
    where supplied.supplied_days >= night.least_days
),

compared as (
    select
        due.*,
        arrived.account_no is not null as is_arrived,
        avg((arrived.account_no is not null)::integer) over (partition by due.bill_month) as arrived_share
    from due
    left join arrived on due.account_no = arrived.account_no and due.bill_month = arrived.bill_month
),

final as (
    select
        'bill' as what_code,
        compared.account_no as owner_no,
        compared.account_no,
        null::text as channel_code,
        jsonb_build_object(
            'what', 'bill', 'cons_no', compared.account_no, 'bill_month', to_char(compared.bill_month, 'YYYYMM')
        ) as record_key,
        compared.bill_month as period_date,
        compared.since_date,
        true as is_whole,
        compared.is_arrived
    from compared
    cross join night
    where
        compared.since_date <= night.business_date
        or (not compared.is_first_month and compared.arrived_share > night.run_share)
)

select * from final
