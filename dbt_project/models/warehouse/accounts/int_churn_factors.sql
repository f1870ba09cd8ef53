with account_months as (
    select * from {{ ref('int_account_months') }}
    where is_open and is_published
),

trade as (
    select * from {{ ref('int_trade_monthly') }}
),

trends as (
    select * from {{ ref('int_energy_trends') }}
),

receivables as (
    select * from {{ ref('int_receivables') }}
),

voltage as (
    select * from {{ ref('int_voltage_monthly') }}
    where entity_kind_code = 'ACCOUNT' and side_code = 'CUSTOMER'
),

stages as (
    select * from {{ ref('fct_application_stages') }}
    where application_type_code in ('SUSPEND', 'DECREASE')
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

-- A reclosing sequence is one interruption.
outages as (
    select * from {{ ref('fct_interruptions') }}
    where entity_kind_code = 'ACCOUNT' and side_code = 'CUSTOMER' and is_new_sequence
),

managers as (
    select * from {{ ref('bridge_account_managers') }}
    where assign_role_code = 'PRIMARY'
),

answers as (
    select * from {{ ref('stg_marketing__survey_answers') }}
    where score_scale > 1
),

-- Everything that happened to an account and counts for a year. Applications to close and final bills are left out: they
-- are known only when the account is already leaving.
events as (
    select
        account_no,
        'CAPACITY_REDUCTIONS' as factor_code,
        (min(accepted_at) at time zone 'Asia/Shanghai')::date as event_date
    from stages
    group by account_no, application_no
    union all
    select
        account_no,
        'COMPLAINTS' as factor_code,
        accepted_date as event_date
    from tickets
    where ticket_type_code = 'COMPLAINT'
    union all
    select
        entity_no as account_no,
        'OUTAGES' as factor_code,
        started_date as event_date
    from outages
    union all
    select
        changes.account_no,
        'MANAGER_CHANGES' as factor_code,
        changes.valid_from as event_date
    from (
        select
            account_no,
            valid_from,
            row_number() over (partition by account_no order by valid_from, manager_no) as manager_seq
        from managers
    ) as changes
    where changes.manager_seq > 1
),

counted as (
    select
        account_months.account_no,
        account_months.month_start_date,
        factors.factor_code,
        count(events.event_date)::numeric as factor_value
    from account_months
    cross join (
        values ('CAPACITY_REDUCTIONS'), ('COMPLAINTS'), ('OUTAGES'), ('MANAGER_CHANGES')
    ) as factors (factor_code)
    left join events
        on
            account_months.account_no = events.account_no
            and factors.factor_code = events.factor_code
            and events.event_date <= account_months.report_date
            and account_months.year_before_date < events.event_date
    group by account_months.account_no, account_months.month_start_date, factors.factor_code
),

-- Scores of all scales are put on 0 to 1.
surveyed as (
    select
        account_months.account_no,
        account_months.month_start_date,
        avg((answers.score - 1)::numeric / (answers.score_scale - 1)) filter (where not half.is_recent)
        - avg((answers.score - 1)::numeric / (answers.score_scale - 1)) filter (where half.is_recent) as satisfaction_drop
    from account_months
    inner join answers
        on
            account_months.account_no = answers.account_no
            and (answers.answered_at at time zone 'Asia/Shanghai')::date <= account_months.report_date
    cross join lateral (
        select {{ parameter('risk_parameters', 'satisfaction_months', on='account_months.report_date') }}::integer as months
    ) as window_of
    cross join lateral (
        select
            (answers.answered_at at time zone 'Asia/Shanghai')::date
            > {{ months_before('account_months.report_date', 'window_of.months') }} as is_recent
    ) as half
    where
        (answers.answered_at at time zone 'Asia/Shanghai')::date
        > {{ months_before('account_months.report_date', '2 * window_of.months') }}
    group by account_months.account_no, account_months.month_start_date
),

measured as (
    select
        account_months.account_no,
        account_months.month_start_date,
        measures.factor_code,
        measures.factor_value
    from account_months
    left join trade
        on account_months.account_no = trade.account_no and account_months.month_start_date = trade.month_start_date
    left join trends
        on account_months.account_no = trends.account_no and account_months.month_start_date = trends.month_start_date
    left join receivables
        on account_months.account_no = receivables.account_no and account_months.month_start_date = receivables.month_start_date
    left join voltage
        on account_months.account_no = voltage.entity_no and account_months.month_start_date = voltage.month_start_date
    left join surveyed
        on account_months.account_no = surveyed.account_no and account_months.month_start_date = surveyed.month_start_date
    cross join lateral (
        values
        -- an account without an agreement is the agency's
        ('DAYS_TO_END', case when coalesce(trade.trade_mode_code, 'AGENT') = 'AGENT' then trade.days_to_end::numeric end),
        ('PRICE_SPREAD', case when coalesce(trade.trade_mode_code, 'AGENT') = 'AGENT' then trade.price_spread_cny_per_mwh end),
        -- a customer of the market comes back where nothing follows its agreement, where deviations cost it much, or where the
        -- agency is cheaper even at the multiple that a returner pays
        ('RETURN_DAYS', case when trade.trade_mode_code <> 'AGENT' and not trade.has_successor then trade.days_to_end::numeric end),
        ('RETURN_PENALTIES', case when trade.trade_mode_code <> 'AGENT' then trade.penalised_months_12m::numeric end),
        (
            'RETURN_PRICE',
            case
                when trade.trade_mode_code <> 'AGENT'
                    then trade.agent_price_cny_per_mwh - trade.price_spread_cny_per_mwh - trade.agent_price_cny_per_mwh
                        * {{ parameter('risk_parameters', 'return_price_factor', on='account_months.report_date') }}
            end
        ),
        ('ENERGY_YOY', trends.energy_yoy),
        ('SELF_GENERATION', trends.self_generation_share),
        ('LATE_PAYMENTS', receivables.late_bills_12m::numeric),
        ('VOLTAGE', voltage.voltage_ok_pct::numeric),
        ('SATISFACTION_DROP', surveyed.satisfaction_drop)
    ) as measures (factor_code, factor_value)
),

final as (
    select
        account_no,
        month_start_date,
        factor_code,
        factor_value::numeric(18, 6) as factor_value
    from counted
    union all
    select
        account_no,
        month_start_date,
        factor_code,
        factor_value::numeric(18, 6) as factor_value
    from measured
)

select * from final
