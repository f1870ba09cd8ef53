with rankings as (
    select * from {{ ref('int_key_accounts_ranked_by_month') }}
),

final as (
    select
        account_no,
        revenue_12m_cny,
        revenue_rank as rank,
        cum_share_before,
        cum_share,
        is_pareto,
        is_large_capacity,
        is_important_user,
        is_strategic,
        is_key_account,
        key_reason
    from rankings
    where ranking_month = date_trunc('month', {{ business_date() }})::date
)

select * from final
