with rankings as (
    select * from {{ ref('int_key_accounts_ranked_by_month') }}
),

followed as (
    select
        *,
        lag(is_key_account) over (partition by account_no order by ranking_month) as was_key_account
    from rankings
),

final as (
    select
        account_no,
        ranking_month,
        revenue_12m_cny,
        energy_12m_kwh,
        revenue_rank,
        cum_share_before,
        cum_share,
        is_pareto,
        is_large_capacity,
        is_important_user,
        is_strategic,
        is_key_account,
        key_reason,
        case
            when is_key_account
                then max(ranking_month) filter (where is_key_account and was_key_account is not true) over so_far
        end as entered_on,
        case
            when not is_key_account
                then max(ranking_month) filter (where not is_key_account and was_key_account) over so_far
        end as left_on
    from followed
    window so_far as (
        partition by account_no
        order by ranking_month
        rows between unbounded preceding and current row
    )
)

select * from final
