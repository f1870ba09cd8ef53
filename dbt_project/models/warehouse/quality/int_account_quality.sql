with findings as (
    select * from {{ ref('fct_findings') }}
    where account_no is not null
),

quarantined as (
    select * from {{ source('quality', 'withheld') }}
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

withheld as (
    select
        account_no,
        count(*) as withheld_rows,
        sum(coalesce(energy_at_stake_kwh, 0)) as withheld_kwh,
        sum(coalesce(amount_at_stake_cny, 0)) as withheld_cny
    from quarantined
    group by account_no
),

final as (
    select
        rules_by_account.account_no,
        case when withheld.withheld_rows > 0 then 'WITHHELD' else 'FINDINGS' end as dq_status_code,
        rules_by_account.rule_ids as dq_rule_ids,
        coalesce(withheld.withheld_rows, 0)::integer as withheld_rows,
        coalesce(withheld.withheld_kwh, 0)::numeric(20, 4) as withheld_kwh,
        coalesce(withheld.withheld_cny, 0)::numeric(20, 2) as withheld_cny
    from rules_by_account
    left join withheld on rules_by_account.account_no = withheld.account_no
)

select * from final
