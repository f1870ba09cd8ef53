with account_quality as (
    select * from {{ ref('int_account_quality') }}
),

final as (
    select
        account_no,
        dq_status_code,
        dq_rule_ids,
        held_back_rows,
        held_back_kwh,
        held_back_cny
    from account_quality
)

select * from final
