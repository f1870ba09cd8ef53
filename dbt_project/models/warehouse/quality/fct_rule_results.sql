with rules as (
    select * from {{ source('quality', 'rule_book') }}
    where gate = 1 and source_name in ('metering', 'marketing', 'contract')
),

current_run as (
    select * from {{ source('quality', 'current_run') }}
),

results as (
    select rule_results.*
    from {{ source('quality', 'rule_results') }} as rule_results
    inner join current_run on rule_results.run_id = current_run.run_id
),

repairs as (
    select * from {{ source('quality', 'rule_repairs') }}
),

staged_rows as (
    select staged.*
    from {{ source('quality', 'staged_rows') }} as staged
    inner join current_run on staged.run_id = current_run.run_id
),

findings as (
    select * from {{ ref('fct_findings') }}
),

weights as (
    select * from {{ ref('severity_weights') }}
    where {{ is_in_period(business_date(), 'valid_from', 'valid_to') }}
),

rows_in_force as (
    select
        rules.rule_id,
        sum(staged_rows.rows) as rows_checked
    from rules
    inner join staged_rows on staged_rows.table_name = any(rules.table_names)
    group by rules.rule_id
),

found as (
    select
        rule_id,
        count(distinct table_name || record_key) as rows_failed,
        count(*) as open_findings,
        count(*) filter (where status_code = 'WAIVED') as waived_findings,
        min(first_seen_date) as first_seen_date,
        max(age_days) as age_days,
        string_agg(distinct waiver_id::text, ', ' order by waiver_id::text) as waiver_refs
    from findings
    group by rule_id
),

-- A rule that tests changes has nothing to say of rows that passed before: they stand, and count as checked.
counted as (
    select
        rules.*,
        results.not_tested_reason like 'Not delivered:%' as is_not_delivered,
        coalesce(
            case
                when results.not_tested_reason like 'Not delivered:%' then 0
                when rules.tests_changes then rows_in_force.rows_checked
                else results.tested_rows
            end, 0
        ) as rows_checked,
        results.not_tested_reason,
        coalesce(found.rows_failed, 0) as rows_failed,
        coalesce(found.open_findings, 0) as open_findings,
        coalesce(found.waived_findings, 0) as waived_findings,
        found.first_seen_date,
        found.age_days,
        found.waiver_refs,
        results.seconds as cost_seconds,
        coalesce(repairs.found_findings, 0) as found_findings,
        coalesce(repairs.fixed_findings, 0) as fixed_findings,
        coalesce(repairs.answered_findings, 0) as answered_findings,
        repairs.median_days_to_answer,
        repairs.median_days_to_fix
    from rules
    left join results on rules.rule_id = results.rule_id
    left join repairs on rules.rule_id = repairs.rule_id
    left join rows_in_force on rules.rule_id = rows_in_force.rule_id
    left join found on rules.rule_id = found.rule_id
),

final as (
    select
        current_run.business_date as as_of_date,
        counted.rule_id,
        counted.sentence,
        counted.axis as axis_code,
        counted.dimension as dimension_code,
        counted.severity as severity_code,
        weights.weight,
        counted.owner as owner_name,
        counted.source_name,
        array_to_string(counted.table_names, ', ') as table_names,
        greatest(counted.rows_checked, counted.rows_failed)::bigint as rows_checked,
        counted.rows_failed::bigint as rows_failed,
        (counted.rows_failed::numeric / nullif(greatest(counted.rows_checked, counted.rows_failed), 0))::numeric(9, 8)
            as fail_rate,
        case
            when counted.open_findings > counted.waived_findings then 'OPEN'
            when counted.waived_findings > 0 then 'WAIVED'
            when counted.is_not_delivered then 'NOT_DELIVERED'
            when counted.rows_checked = 0 then 'NOT_TESTED'
            else 'PASSED'
        end as status_code,
        case when counted.rows_checked = 0 then counted.not_tested_reason end as not_tested_reason,
        counted.open_findings::integer as open_findings,
        counted.waived_findings::integer as waived_findings,
        counted.waiver_refs,
        counted.first_seen_date,
        counted.age_days,
        counted.cost_seconds::numeric(10, 3) as cost_seconds,
        counted.found_findings::integer as found_findings,
        counted.fixed_findings::integer as fixed_findings,
        counted.answered_findings::integer as answered_findings,
        counted.median_days_to_answer::numeric(8, 1) as median_days_to_answer,
        counted.median_days_to_fix::numeric(8, 1) as median_days_to_fix
    from counted
    cross join current_run
    left join weights on counted.severity = weights.severity_code
)

select * from final
