-- A curve and a settlement for every month of an agreement on the market, once they are due; of each nothing before the first
-- month that was ever delivered. A settlement waits for the first bill of a new customer.
with agreements as (
    select * from {{ ref('stg_contract__trade_agreements') }}
    where trade_mode_code in ('DIRECT', 'RETAIL', 'SPOT')
),

settlements as (
    select * from {{ ref('stg_contract__trade_settlements') }}
),

curves as (
    select * from {{ ref('stg_contract__trade_curves') }}
),

customers as (
    select
        account_no,
        max(connect_date) as connect_date
    from {{ ref('stg_marketing__customers') }}
    group by account_no
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name in ('con_trade_settle', 'con_trade_curve') and superseded_by is null
),

night as (
    select
        current_run.business_date,
        {{ months_before(month_of('current_run.business_date'), rule_parameter('EXP', 'months', 'current_run.business_date')) }}
            as first_month
    from {{ source('quality', 'current_run') }} as current_run
),

delivered as (
    select distinct
        'settlement' as what_code,
        agreement_no,
        trade_month
    from settlements
    where trade_month is not null
    union
    select distinct
        'trade curve',
        agreement_no,
        trade_month
    from curves
    where trade_month is not null
),

arrived as (
    select * from delivered
    union
    select
        case table_name when 'con_trade_settle' then 'settlement' else 'trade curve' end,
        btrim(row_text ->> 'agree_no'),
        {{ month_start("(row_text ->> 'trade_month')") }}
    from rejected
),

begun as (
    select
        what_code,
        min(trade_month) as first_month
    from delivered
    group by what_code
),

agreed_months as (
    select
        begun.what_code,
        agreements.agreement_no,
        agreements.account_no,
        months.month_start::date as trade_month
    from agreements
    cross join night
    cross join begun
    cross join lateral generate_series(
        greatest({{ month_of('agreements.valid_from') }}, night.first_month, begun.first_month)::timestamp,
        least(agreements.valid_to - 1, {{ last_month_end('night.business_date') }})::timestamp,
        interval '1 month'
    ) as months (month_start)
    where begun.what_code = 'settlement' or agreements.trade_mode_code <> 'SPOT'
),

due as (
    select
        agreed_months.*,
        case
            when agreed_months.what_code = 'trade curve'
                then {{ due_after(next_month('agreed_months.trade_month'), 'trade curve') }}
            when agreed_months.trade_month = {{ month_of('customers.connect_date') }}
                then {{ due_after(next_month('agreed_months.trade_month'), 'settlement', 'first_due_days') }}
            else {{ due_after(next_month('agreed_months.trade_month'), 'settlement') }}
        end as since_date
    from agreed_months
    left join customers on agreed_months.account_no = customers.account_no
),

final as (
    select
        due.what_code,
        due.agreement_no as owner_no,
        due.account_no,
        null::text as channel_code,
        jsonb_build_object(
            'what', due.what_code, 'agree_no', due.agreement_no, 'trade_month', to_char(due.trade_month, 'YYYYMM')
        ) as record_key,
        due.trade_month as period_date,
        due.since_date,
        true as is_whole,
        arrived.agreement_no is not null as is_arrived
    from due
    cross join night
    left join arrived
        on
            due.what_code = arrived.what_code
            and due.agreement_no = arrived.agreement_no
            and due.trade_month = arrived.trade_month
    where due.since_date <= night.business_date
)

select * from final
