with rules as (
    select * from {{ source('quality', 'rule_book') }}
    where gate = 1
),

findings as (
    select * from {{ source('quality', 'findings') }}
    where state not in ('fixed', 'dependant')
),

events as (
    select * from {{ source('quality', 'finding_events') }}
),

runs as (
    select * from {{ source('quality', 'runs') }}
),

first_seen as (
    select
        events.finding_id,
        min(runs.business_date) as first_seen_date
    from events
    inner join runs on events.run_id = runs.run_id
    group by events.finding_id
),

waived as (
    select distinct on (finding_id)
        finding_id,
        waiver_id
    from events
    where event = 'waived'
    order by finding_id, event_id desc
),

-- The second gate has not seen tonight's marts yet, and the pipeline's own rules are about no source.
final as (
    select
        findings.rule_id,
        findings.source_name,
        findings.table_name,
        findings.record_key::text as record_key,
        coalesce(findings.column_name, '') as column_name,
        rules.axis as axis_code,
        rules.dimension as dimension_code,
        findings.severity as severity_code,
        rules.owner as owner_name,
        findings.account_no,
        findings.business_date as record_date,
        upper(findings.state) as status_code,
        case when findings.state = 'waived' then waived.waiver_id end as waiver_id,
        first_seen.first_seen_date,
        {{ business_date() }} - first_seen.first_seen_date as age_days,
        findings.error_kwh::numeric(20, 4) as energy_at_stake_kwh,
        findings.error_cny::numeric(20, 2) as amount_at_stake_cny,
        findings.error_cny_year::numeric(20, 2) as error_cny_year,
        findings.exposure_kwh::numeric(20, 4) as exposure_kwh,
        findings.exposure_cny::numeric(20, 2) as exposure_cny
    from findings
    inner join rules on findings.rule_id = rules.rule_id
    left join first_seen on findings.finding_id = first_seen.finding_id
    left join waived on findings.finding_id = waived.finding_id
    where findings.source_name in ('metering', 'marketing', 'contract')
)

select * from final
