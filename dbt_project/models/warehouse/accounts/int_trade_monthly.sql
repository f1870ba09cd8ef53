with account_months as (
    select * from {{ ref('int_account_months') }}
),

-- A past month knows of an agreement what had been delivered by then, not the end that it got later.
agreements as (
    select * from {{ ref('int_trade_agreement_versions') }}
),

settlements as (
    select * from {{ ref('fct_trade_settlements') }}
),

prices as (
    select * from {{ ref('market_prices') }}
),

in_force as (
    select distinct on (account_months.account_no, account_months.report_date)
        account_months.account_no,
        account_months.month_start_date,
        account_months.report_date,
        agreements.agreement_no,
        agreements.trade_mode_code,
        agreements.counterparty_name,
        agreements.valid_to - 1 as agreement_end_date,
        agreements.price_kind_code,
        agreements.price_cny_per_mwh
    from account_months
    left join agreements
        on
            account_months.account_no = agreements.account_no
            and {{ is_valid_on('agreements', 'account_months.report_date') }}
            and {{ is_in_period('account_months.report_date', 'agreements.known_from', 'agreements.known_to') }}
    order by
        account_months.account_no,
        account_months.report_date,
        agreements.valid_from desc nulls last,
        agreements.agreement_no
),

last_settled as (
    select distinct on (in_force.account_no, in_force.report_date)
        in_force.account_no,
        in_force.report_date,
        settlements.settled_cny / nullif(settlements.actual_mwh, 0) as settled_price_cny_per_mwh
    from in_force
    inner join settlements
        on in_force.agreement_no = settlements.agreement_no and settlements.trade_month < in_force.month_start_date
    order by in_force.account_no, in_force.report_date, settlements.trade_month desc
),

penalised as (
    select
        account_months.account_no,
        account_months.report_date,
        count(*) filter (where settlements.penalty_cny > 0) as penalised_months_12m
    from account_months
    inner join settlements
        on
            account_months.account_no = settlements.account_no
            and settlements.trade_month < account_months.month_start_date
            and account_months.year_before_month <= settlements.trade_month
    group by account_months.account_no, account_months.report_date
),

priced as (
    select
        in_force.*,
        agent.price_cny_per_mwh as agent_price_cny_per_mwh,
        case
            when in_force.trade_mode_code is null or in_force.trade_mode_code = 'AGENT' then market.price_cny_per_mwh
            when in_force.price_kind_code = 'FIXED' then in_force.price_cny_per_mwh
            when in_force.price_kind_code = 'SPREAD' then agent.price_cny_per_mwh + in_force.price_cny_per_mwh
            else last_settled.settled_price_cny_per_mwh
        end as other_price_cny_per_mwh
    from in_force
    left join prices as agent on agent.price_code = 'AGENT' and {{ is_valid_on('agent', 'in_force.report_date') }}
    left join prices as market on market.price_code = 'MARKET' and {{ is_valid_on('market', 'in_force.report_date') }}
    left join last_settled on in_force.account_no = last_settled.account_no and in_force.report_date = last_settled.report_date
),

final as (
    select
        priced.account_no,
        priced.month_start_date,
        priced.agreement_no,
        priced.trade_mode_code,
        priced.counterparty_name,
        priced.agreement_end_date,
        priced.agreement_end_date - priced.report_date as days_to_end,
        exists (
            select 1
            from agreements as successors
            where
                successors.account_no = priced.account_no
                and successors.agreement_no <> priced.agreement_no
                and successors.trade_mode_code <> 'AGENT' -- that is the return itself
                and {{ is_valid_on('successors', '(priced.agreement_end_date + 1)') }}
                and {{ is_in_period('priced.report_date', 'successors.known_from', 'successors.known_to') }}
        ) as has_successor,
        priced.agent_price_cny_per_mwh::numeric(14, 4) as agent_price_cny_per_mwh,
        (priced.agent_price_cny_per_mwh - priced.other_price_cny_per_mwh)::numeric(14, 4) as price_spread_cny_per_mwh,
        coalesce(penalised.penalised_months_12m, 0)::integer as penalised_months_12m
    from priced
    left join penalised on priced.account_no = penalised.account_no and priced.report_date = penalised.report_date
)

select * from final
