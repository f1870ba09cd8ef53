with findings as (
    select * from {{ ref('fct_findings') }}
    where account_no is not null
),

quarantined as (
    select * from {{ source('quality', 'kept_back') }}
    where account_no is not null
),

found as (
    select
        account_no,
        rule_id
    from findings
    union
    select
        quarantined.account_no,
        rules.rule_id
    from quarantined
    cross join lateral unnest(quarantined.rule_ids) as rules (rule_id)
),

rules_by_account as (
    select
        account_no,
        string_agg(rule_id, ', ' order by rule_id) as rule_ids
    from found
    group by account_no
),

held_back as (
    select
        account_no,
        count(*) as held_back_rows,
        sum(coalesce(energy_at_stake_kwh, 0)) as held_back_kwh,
        sum(coalesce(amount_at_stake_cny, 0)) as held_back_cny
    from quarantined
    group by account_no
),

final as (
    select
        rules_by_account.account_no,
        case when held_back.held_back_rows > 0 then 'HELD_BACK' else 'FINDINGS' end as dq_status_code,
        rules_by_account.rule_ids as dq_rule_ids,
        coalesce(held_back.held_back_rows, 0)::integer as held_back_rows,
        coalesce(held_back.held_back_kwh, 0)::numeric(20, 4) as held_back_kwh,
        coalesce(held_back.held_back_cny, 0)::numeric(20, 2) as held_back_cny
    from rules_by_account
    left join held_back on rules_by_account.account_no = held_back.account_no
)

select * from final
