with withheld as (
    select * from {{ source('quality', 'withheld') }}
),

runs as (
    select * from {{ source('quality', 'runs') }}
),

-- All copies of a duplicate key are withheld: they are one record with several rows.
final as (
    select
        withheld.source_name,
        withheld.table_name,
        withheld.record_key::text as record_key,
        rules.rule_id,
        max(upper(withheld.state)) as state_code,
        max(withheld.account_no) as account_no,
        min(runs.business_date) as from_date,
        {{ business_date() }} - min(runs.business_date) as age_days,
        count(*)::integer as kept_rows,
        max(coalesce(withheld.energy_at_stake_kwh, 0))::numeric(20, 4) as energy_at_stake_kwh,
        max(coalesce(withheld.amount_at_stake_cny, 0))::numeric(20, 2) as amount_at_stake_cny
    from withheld
    cross join lateral unnest(withheld.rule_ids) as rules (rule_id)
    left join runs on withheld.from_run = runs.run_id
    group by withheld.source_name, withheld.table_name, withheld.record_key::text, rules.rule_id
)

select * from final
