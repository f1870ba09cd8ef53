with account_months as (
    select * from {{ ref('int_account_months') }}
),

points as (
    select * from {{ ref('credit_points') }}
),

receivables as (
    select * from {{ ref('int_receivables') }}
),

violations as (
    select * from {{ ref('fct_violations') }}
),

amendments as (
    select * from {{ ref('fct_contract_amendments') }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where status_code <> 'DRAFT'
),

trends as (
    select * from {{ ref('int_energy_trends') }}
),

trade as (
    select * from {{ ref('int_trade_monthly') }}
),

counted_items as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.report_date,
        points.dimension_code,
        points.item_code,
        points.points,
        greatest(
            {{ months_before('account_months.report_date', 'points.look_back_months') }}, account_months.owned_from_date - 1
        ) as counted_after_date
    from account_months
    inner join points on {{ is_valid_on('points', 'account_months.report_date') }}
),

-- A change agreed in an amendment should be signed before it takes effect.
amended as (
    select distinct
        contracts.account_no,
        amendments.amendment_no,
        amendments.effective_date,
        amendments.signed_date
    from amendments
    inner join contracts on amendments.contract_no = contracts.contract_no
),

events as (
    select
        account_no,
        violation_class_code as item_code,
        found_date as event_date,
        null::date as ended_date
    from violations
    union all
    select
        account_no,
        'UNSIGNED_CHANGE' as item_code,
        effective_date as event_date,
        signed_date as ended_date
    from amended
    where signed_date is null or signed_date > effective_date
    union all
    select
        account_no,
        'LATE_SIGNATURE' as item_code,
        signed_date as event_date,
        null::date as ended_date
    from amended
    where signed_date > effective_date
),

counted as (
    select
        counted_items.account_no,
        counted_items.month_start_date,
        counted_items.item_code,
        count(*)::numeric as quantity
    from counted_items
    inner join events
        on
            counted_items.account_no = events.account_no
            and counted_items.item_code = events.item_code
            and events.event_date <= counted_items.report_date
            and counted_items.counted_after_date < events.event_date
            and (events.ended_date is null or counted_items.report_date < events.ended_date)
    group by counted_items.account_no, counted_items.month_start_date, counted_items.item_code
),

covered as (
    select distinct
        account_months.account_no,
        account_months.month_start_date
    from account_months
    inner join contracts
        on
            account_months.account_no = contracts.account_no
            and contracts.valid_from <= account_months.report_date
            and (
                contracts.valid_to is null
                or account_months.report_date < contracts.valid_to
                or (contracts.is_auto_renewed and contracts.status_code not in ('EXPIRED', 'TERMINATED'))
            )
),

final as (
    select
        counted_items.account_no,
        counted_items.month_start_date,
        counted_items.dimension_code,
        counted_items.item_code,
        counted_items.points,
        (
            case counted_items.item_code
                when 'WEIGHTED_LATE_DAYS' then receivables.weighted_late_days
                when 'BROKEN_PROMISES' then receivables.reversed_payments_12m
                when 'NO_CONTRACT' then case when covered.account_no is null then 1 else 0 end
                when 'VARIATION' then
                    case
                        when
                            trends.billed_months_12m
                            >= {{ parameter('risk_parameters', 'variation_months', on='counted_items.report_date') }}
                            then trends.energy_variation
                    end
                when 'DECLINE' then greatest(-coalesce(trends.energy_yoy, 0), 0)
                when 'PENALISED_MONTHS' then trade.penalised_months_12m
                else coalesce(counted.quantity, 0)
            end
        )::numeric(14, 6) as quantity
    from counted_items
    left join receivables
        on counted_items.account_no = receivables.account_no and counted_items.month_start_date = receivables.month_start_date
    left join trends
        on counted_items.account_no = trends.account_no and counted_items.month_start_date = trends.month_start_date
    left join trade
        on counted_items.account_no = trade.account_no and counted_items.month_start_date = trade.month_start_date
    left join covered
        on counted_items.account_no = covered.account_no and counted_items.month_start_date = covered.month_start_date
    left join counted
        on
            counted_items.account_no = counted.account_no
            and counted_items.month_start_date = counted.month_start_date
            and counted_items.item_code = counted.item_code
)

select * from final
