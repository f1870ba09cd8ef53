with months as (
    select * from {{ ref('dim_months') }}
),

account_months as (
    select * from {{ ref('int_reliability_monthly') }}
    where entity_kind_code = 'ACCOUNT' and standard_code = 'IEEE 1366'
),

interruptions as (
    select * from {{ ref('fct_interruptions') }}
    where entity_kind_code = 'ACCOUNT' and is_sustained_ieee_1366
),

added as (
    select
        account_months.entity_no as account_no,
        account_months.side_code,
        account_months.month_start_date,
        months.report_date,
        count(interruptions.interruption_id)::integer as interruptions_12m,
        coalesce(sum(interruptions.known_minutes), 0) as minutes_12m,
        coalesce(max(interruptions.known_minutes), 0) as longest_minutes_12m
    from account_months
    inner join months on account_months.month_start_date = months.month_start_date
    left join interruptions
        on
            account_months.entity_no = interruptions.entity_no
            and account_months.side_code = interruptions.side_code
            and interruptions.started_date >= account_months.month_start_date - interval '11 months'
            and interruptions.started_date <= months.report_date
    group by account_months.entity_no, account_months.side_code, account_months.month_start_date, months.report_date
),

final as (
    select
        account_no,
        side_code,
        month_start_date,
        interruptions_12m,
        minutes_12m::numeric(18, 8) as minutes_12m,
        longest_minutes_12m::numeric(18, 8) as longest_minutes_12m,
        interruptions_12m >= {{ parameter('reliability_parameters', 'cemi_interruptions_min', on='report_date') }}
            as is_often_interrupted,
        longest_minutes_12m >= 60 * {{ parameter('reliability_parameters', 'celid_single_hours', on='report_date') }}
            as is_long_interrupted_once,
        minutes_12m >= 60 * {{ parameter('reliability_parameters', 'celid_total_hours', on='report_date') }}
            as is_long_interrupted_in_all
    from added
)

select * from final
