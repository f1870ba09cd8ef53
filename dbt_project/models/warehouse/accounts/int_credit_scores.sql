with account_months as (
    select * from {{ ref('int_account_months') }}
),

items as (
    select * from {{ ref('int_credit_items') }}
),

weights as (
    select * from {{ ref('credit_weights') }}
),

bands as (
    select * from {{ ref('credit_bands') }}
),

vetoes as (
    select * from {{ ref('int_credit_vetoes') }}
),

receivables as (
    select * from {{ ref('int_receivables') }}
),

-- A part whose quantity is unknown has no score, and then the whole has none: no weight moves to another part.
parts as (
    select
        account_no,
        month_start_date,
        dimension_code,
        case when bool_and(quantity is not null) then greatest(100 - sum(points * quantity), 0) end as score
    from items
    group by account_no, month_start_date, dimension_code
),

scored as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.report_date,
        coalesce(account_months.owned_from_date, account_months.connected_date) > {{ months_before(
            'account_months.report_date', parameter('risk_parameters', 'new_customer_months', on='account_months.report_date')
        ) }} as is_new_customer,
        max(parts.score) filter (where parts.dimension_code = 'PAYMENT') as payment_score,
        max(parts.score) filter (where parts.dimension_code = 'VIOLATION') as violation_score,
        max(parts.score) filter (where parts.dimension_code = 'CONTRACT') as contract_score,
        max(parts.score) filter (where parts.dimension_code = 'VOLUME') as volume_score,
        max(parts.score) filter (where parts.dimension_code = 'MARKET') as market_score,
        case when bool_and(parts.score is not null) then sum(weights.weight * parts.score) end as credit_score
    from account_months
    inner join weights on {{ is_valid_on('weights', 'account_months.report_date') }}
    left join parts
        on
            account_months.account_no = parts.account_no
            and account_months.month_start_date = parts.month_start_date
            and weights.dimension_code = parts.dimension_code
    group by
        account_months.account_no,
        account_months.month_start_date,
        account_months.report_date,
        account_months.connected_date,
        account_months.owned_from_date
),

vetoed as (
    select
        account_no,
        month_start_date,
        string_agg(veto_code, ', ' order by veto_code) as veto_codes
    from vetoes
    group by account_no, month_start_date
),

banded as (
    select
        scored.*,
        vetoed.veto_codes,
        receivables.overdue_cny,
        by_grade.band_code as grade_by_score,
        case when vetoed.veto_codes is not null then worst_pd.band_code else by_pd.band_code end as pd_bucket
    from scored
    left join vetoed on scored.account_no = vetoed.account_no and scored.month_start_date = vetoed.month_start_date
    left join receivables
        on scored.account_no = receivables.account_no and scored.month_start_date = receivables.month_start_date
    left join lateral (
        select bands.band_code
        from bands
        where bands.band_kind = 'GRADE' and {{ is_valid_on('bands', 'scored.report_date') }} and bands.score_from <= scored.credit_score
        order by bands.score_from desc
        limit 1
    ) as by_grade on true
    left join lateral (
        select bands.band_code
        from bands
        where bands.band_kind = 'PD' and {{ is_valid_on('bands', 'scored.report_date') }} and bands.score_from <= scored.credit_score
        order by bands.score_from desc
        limit 1
    ) as by_pd on true
    left join lateral (
        select bands.band_code
        from bands
        where bands.band_kind = 'PD' and {{ is_valid_on('bands', 'scored.report_date') }}
        order by bands.score_from
        limit 1
    ) as worst_pd on true
),

-- The vetoes come after the score; new customers are B, and nobody with a bill overdue is A.
graded as (
    select
        *,
        case
            when veto_codes is not null then 'C'
            when is_new_customer then 'B'
            when grade_by_score = 'A' and overdue_cny > 0 then 'B'
            else grade_by_score
        end as grade_so_far
    from banded
),

followed as (
    select
        *,
        lag(grade_so_far) over (partition by account_no order by month_start_date) as grade_before
    from graded
),

final as (
    select
        account_no,
        month_start_date,
        is_new_customer,
        payment_score::numeric(9, 6) as payment_score,
        violation_score::numeric(9, 6) as violation_score,
        contract_score::numeric(9, 6) as contract_score,
        volume_score::numeric(9, 6) as volume_score,
        market_score::numeric(9, 6) as market_score,
        credit_score::numeric(9, 6) as credit_score,
        grade_by_score,
        -- An account that was C is B for a month before it can be A.
        case when grade_so_far = 'A' and grade_before = 'C' then 'B' else grade_so_far end as grade,
        veto_codes,
        pd_bucket
    from followed
)

select * from final
