with account_months as (
    select
        *,
        {{ months_before('month_start_date', parameter('risk_parameters', 'yoy_months', on='report_date')) }} as recent_from_month
    from {{ ref('int_account_months') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
),

billed as (
    select
        account_no,
        bill_month,
        sum(billed_kwh) as billed_kwh
    from bills
    where bill_month is not null
    group by account_no, bill_month
),

compared as (
    select
        billed.account_no,
        billed.bill_month,
        billed.billed_kwh,
        year_before.billed_kwh as year_before_kwh
    from billed
    left join billed as year_before
        on
            billed.account_no = year_before.account_no
            and year_before.bill_month = (billed.bill_month - interval '1 year')::date
),

-- Only months billed in both years are compared.
followed as (
    select
        account_months.account_no,
        account_months.month_start_date,
        count(*)::integer as billed_months_12m,
        stddev_samp(compared.billed_kwh) / nullif(avg(compared.billed_kwh), 0) as energy_variation,
        sum(compared.billed_kwh) filter (
            where account_months.recent_from_month <= compared.bill_month and compared.year_before_kwh is not null
        ) / nullif(
            sum(compared.year_before_kwh) filter (where account_months.recent_from_month <= compared.bill_month), 0
        ) - 1 as energy_yoy
    from account_months
    inner join compared
        on
            account_months.account_no = compared.account_no
            and compared.bill_month < account_months.month_start_date
            and account_months.year_before_month <= compared.bill_month
    group by account_months.account_no, account_months.month_start_date
),

-- Own generation that is used on site, as a share of all that is used.
generated as (
    select
        account_no,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        coalesce(sum(consumption_kwh) filter (where role_code = 'GENERATION'), 0)
        - coalesce(sum(export_kwh) filter (where is_counted_in_account), 0) as self_used_kwh,
        sum(consumption_kwh) filter (where is_counted_in_account) as supplied_kwh
    from energy_days
    group by account_no, date_trunc('month', reading_date::timestamp)::date
),

final as (
    select
        account_months.account_no,
        account_months.month_start_date,
        coalesce(followed.billed_months_12m, 0) as billed_months_12m,
        followed.energy_variation::numeric(14, 6) as energy_variation,
        followed.energy_yoy::numeric(14, 6) as energy_yoy,
        (
            greatest(generated.self_used_kwh, 0)
            / nullif(greatest(generated.self_used_kwh, 0) + generated.supplied_kwh, 0)
        )::numeric(10, 6) as self_generation_share
    from account_months
    left join followed
        on account_months.account_no = followed.account_no and account_months.month_start_date = followed.month_start_date
    left join generated
        on account_months.account_no = generated.account_no and account_months.month_start_date = generated.month_start_date
)

select * from final
