with agreements as (
    select * from {{ ref('fct_trade_agreements') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

-- Whoever had no agreement in force on the day before bought through the grid company, from its connection on.
followed as (
    select distinct on (agreements.account_no, agreements.valid_from)
        agreements.account_no,
        agreements.valid_from,
        agreements.trade_mode_code,
        coalesce(
            before.trade_mode_code,
            case when coalesce(accounts.connect_date, accounts.open_date, '-infinity') < agreements.valid_from then 'AGENT' end
        ) as mode_before_code
    from agreements
    left join accounts on agreements.account_no = accounts.account_no
    left join lateral (
        select others.trade_mode_code
        from agreements as others
        where others.account_no = agreements.account_no and {{ is_valid_on('others', '(agreements.valid_from - 1)') }}
        order by others.valid_from desc, others.agreement_no
        limit 1
    ) as before on true
    order by agreements.account_no, agreements.valid_from, agreements.agreement_no
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
