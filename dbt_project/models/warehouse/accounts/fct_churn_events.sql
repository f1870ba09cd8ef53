with agreements as (
    select * from {{ ref('fct_trade_agreements') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

followed as (
    select
        account_no,
        valid_from,
        trade_mode_code,
        lag(trade_mode_code) over (partition by account_no order by valid_from nulls last, agreement_no) as mode_before_code
    from agreements
),

-- An account leaves when it stops buying through the grid company, or closes.
final as (
    select
        account_no,
        'TRADE_MODE' as churn_kind_code,
        valid_from as left_date,
        trade_mode_code as left_to_code
    from followed
    where mode_before_code = 'AGENT' and trade_mode_code <> 'AGENT' and valid_from <= {{ business_date() }}
    union all
    select
        account_no,
        'CLOSED' as churn_kind_code,
        close_date as left_date,
        null as left_to_code
    from accounts
    where close_date <= {{ business_date() }}
)

select * from final
