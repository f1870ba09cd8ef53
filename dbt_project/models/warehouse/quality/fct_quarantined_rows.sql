with kept_back as (
    select * from {{ source('quality', 'kept_back') }}
),

runs as (
    select * from {{ source('quality', 'runs') }}
),

-- All copies of a duplicate key are kept back: they are one record with several rows.
final as (
    select
        kept_back.source_name,
        kept_back.table_name,
        kept_back.record_key::text as record_key,
        rules.rule_id,
        max(upper(kept_back.state)) as state_code,
        max(kept_back.account_no) as account_no,
        min(runs.business_date) as from_date,
        {{ business_date() }} - min(runs.business_date) as age_days,
        count(*)::integer as kept_rows,
        max(coalesce(kept_back.energy_at_stake_kwh, 0))::numeric(20, 4) as energy_at_stake_kwh,
        max(coalesce(kept_back.amount_at_stake_cny, 0))::numeric(20, 2) as amount_at_stake_cny
    from kept_back
    cross join lateral unnest(kept_back.rule_ids) as rules (rule_id)
    left join runs on kept_back.from_run = runs.run_id
    group by kept_back.source_name, kept_back.table_name, kept_back.record_key::text, rules.rule_id
)

select * from final
