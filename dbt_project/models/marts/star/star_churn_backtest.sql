-- What became of the accounts that were scored: of every closed month whose horizon has passed, each account once a question,
-- by the score that was known then. Accounts of one score share the places of the top tenth, so that their order is no matter.
with months as (
    select * from {{ ref('dim_months') }}
    where is_closed
),

risk as (
    select * from {{ ref('mart_churn_risk') }}
),

events as (
    select * from {{ ref('fct_churn_events') }}
),

horizon as (
    select {{ parameter('risk_parameters', 'churn_horizon_months') }}::integer as horizon_months
),

bands as (
    select * from {{ ref('churn_bands') }} as churn_bands
    where {{ is_valid_on('churn_bands', business_date()) }}
),

questions as (
    select
        account_no,
        month_start_date,
        'AGENCY' as question_code,
        'TRADE_MODE' as churn_kind_code,
        leaves_agency_score as score
    from risk
    union all
    select
        account_no,
        month_start_date,
        'GRID' as question_code,
        'CLOSED' as churn_kind_code,
        leaves_grid_score as score
    from risk
),

scored as (
    select
        questions.question_code,
        questions.month_start_date,
        questions.account_no,
        questions.score,
        exists (
            select 1
            from events
            where
                questions.account_no = events.account_no
                and questions.churn_kind_code = events.churn_kind_code
                and events.left_date > months.report_date
                and events.left_date <= months.report_date + make_interval(months => horizon.horizon_months)
        )::integer as departures
    from questions
    cross join horizon
    inner join months on questions.month_start_date = months.month_start_date
    where
        questions.score is not null
        and months.report_date + make_interval(months => horizon.horizon_months) <= {{ business_date() }}
),

-- Accounts of one month and score, and how many stand before them.
by_score as (
    select
        question_code,
        month_start_date,
        score,
        count(*) as accounts,
        sum(departures) as departures,
        sum(count(*)) over (partition by question_code, month_start_date) as month_accounts,
        sum(count(*)) over (partition by question_code, month_start_date order by score desc) - count(*) as accounts_before
    from scored
    group by question_code, month_start_date, score
),

top_tenth as (
    select
        question_code,
        least(greatest(0.1 * month_accounts - accounts_before, 0), accounts) as accounts,
        departures * least(greatest(0.1 * month_accounts - accounts_before, 0), accounts) / accounts as departures
    from by_score
),

counted as (
    select
        question_code,
        'ALL' as band_code,
        count(*)::numeric as scored_accounts,
        sum(departures)::numeric as departures
    from scored
    group by question_code
    union all
    select
        question_code,
        'TOP_TENTH',
        sum(accounts),
        sum(departures)
    from top_tenth
    group by question_code
    union all
    select
        scored.question_code,
        bands.band_code,
        count(*),
        sum(scored.departures)
    from scored
    inner join bands
        on bands.score_from <= scored.score and (bands.score_below is null or scored.score < bands.score_below)
    group by scored.question_code, bands.band_code
),

compared as (
    select
        counted.*,
        total.departures as all_departures,
        counted.departures / nullif(counted.scored_accounts, 0) as share,
        total.departures / nullif(total.scored_accounts, 0) as all_share
    from counted
    inner join counted as total on counted.question_code = total.question_code and total.band_code = 'ALL'
),

-- Lower end of the interval of 90 percent of a share (E. B. Wilson, 1927), 1.645 standard deviations to either side.
lifted as (
    select
        compared.*,
        share / nullif(all_share, 0) as lift,
        (
            share + 1.645 ^ 2 / (2 * scored_accounts)
            - 1.645 * sqrt(share * (1 - share) / scored_accounts + 1.645 ^ 2 / (4 * scored_accounts ^ 2))
        ) / (1 + 1.645 ^ 2 / scored_accounts) / nullif(all_share, 0) as lift_low
    from compared
    where scored_accounts > 0
),

verdicts as (
    select
        question_code,
        case
            when all_departures < {{ parameter('risk_parameters', 'churn_fewest_departures') }} then 'TOO_FEW'
            when
                lift >= {{ parameter('risk_parameters', 'churn_power_lift') }}
                and lift_low > {{ parameter('risk_parameters', 'churn_power_lift_low') }}
                then 'POWER'
            when lift_low > 1 then 'WEAK'
            else 'NO_POWER'
        end as power_code
    from lifted
    where band_code = 'TOP_TENTH'
),

final as (
    select
        lifted.question_code,
        lifted.band_code,
        {{ business_date() }} as as_of_date,
        {{ month_of(business_date()) }} as month_start_date,
        horizon.horizon_months,
        lifted.scored_accounts::numeric(14, 2) as scored_accounts,
        lifted.departures::numeric(14, 2) as departures,
        (100 * lifted.share)::numeric(10, 6) as departure_pct,
        lifted.lift::numeric(10, 4) as lift,
        greatest(lifted.lift_low, 0)::numeric(10, 4) as lift_low,
        verdicts.power_code
    from lifted
    cross join horizon
    inner join verdicts on lifted.question_code = verdicts.question_code
)

select * from final
