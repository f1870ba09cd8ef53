with organisations as (
    select * from {{ ref('dim_organisations') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where {{ is_in_period(business_date(), 'valid_from', 'valid_to') }}
),

rules as (
    select * from {{ ref('fct_rule_results') }}
),

findings as (
    select * from {{ ref('fct_findings') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

dates as (
    select
        {{ business_date() }} as as_of_date,
        (date_trunc('month', {{ business_date() }}::timestamp) - interval '1 month')::date as last_closed_month
),

revenue as (
    select
        bills.account_no,
        sum(bills.total_charge_cny) as revenue_cny
    from bills
    inner join dates on bills.bill_month = dates.last_closed_month
    group by bills.account_no
),

placed as (
    select
        findings.*,
        coalesce(accounts.org_no, 'UNKNOWN') as org_no
    from findings
    left join accounts on findings.account_no = accounts.account_no
),

-- A finding seen in several groups of rows: by axis, source and organisation, and by dimension and source with their totals.
grouped as (
    select
        'ORGANISATION' as level_code,
        axis_code,
        'ALL' as dimension_code,
        source_name,
        org_no,
        placed.rule_id,
        placed.table_name,
        placed.record_key,
        placed.account_no,
        placed.status_code,
        placed.energy_at_stake_kwh,
        placed.amount_at_stake_cny
    from placed
    union all
    select
        'DIMENSION',
        'ALL',
        levels.dimension_code,
        levels.source_name,
        'ALL',
        placed.rule_id,
        placed.table_name,
        placed.record_key,
        placed.account_no,
        placed.status_code,
        placed.energy_at_stake_kwh,
        placed.amount_at_stake_cny
    from placed
    cross join lateral (
        values (placed.dimension_code, placed.source_name), (placed.dimension_code, 'ALL'), ('ALL', placed.source_name), ('ALL', 'ALL')
    ) as levels (dimension_code, source_name)
),

counted as (
    select
        level_code,
        axis_code,
        dimension_code,
        source_name,
        org_no,
        count(*) as defect_cnt,
        count(*) filter (where status_code = 'WAIVED') as waived_cnt,
        sum(energy_at_stake_kwh) as energy_at_stake_kwh,
        sum(amount_at_stake_cny) as amount_at_stake_cny
    from grouped
    group by level_code, axis_code, dimension_code, source_name, org_no
),

affected as (
    select
        hit.level_code,
        hit.axis_code,
        hit.dimension_code,
        hit.source_name,
        hit.org_no,
        count(*) as accounts_affected,
        sum(accounts.contract_capacity_kva) as kva_affected,
        sum(revenue.revenue_cny) as revenue_at_risk_cny
    from (
        select distinct level_code, axis_code, dimension_code, source_name, org_no, account_no
        from grouped
    ) as hit
    inner join accounts on hit.account_no = accounts.account_no
    left join revenue on hit.account_no = revenue.account_no
    group by hit.level_code, hit.axis_code, hit.dimension_code, hit.source_name, hit.org_no
),

accounts_by_org as (
    select
        coalesce(org_no, 'UNKNOWN') as org_no,
        count(*) as accounts
    from accounts
    group by coalesce(org_no, 'UNKNOWN')
),

-- Every cell has a row, so that no defect is seen as none and not as no answer.
cells as (
    select distinct
        'ORGANISATION' as level_code,
        rules.axis_code,
        'ALL' as dimension_code,
        rules.source_name,
        organisations.org_no,
        accounts_by_org.accounts,
        null::numeric as rows_checked,
        null::numeric as rows_failed,
        null::numeric as score
    from rules
    cross join (select org_no from accounts_by_org union select org_no from placed) as organisations
    left join accounts_by_org on organisations.org_no = accounts_by_org.org_no
    union all
    select
        'DIMENSION',
        'ALL',
        coalesce(rules.dimension_code, 'ALL'),
        coalesce(rules.source_name, 'ALL'),
        'ALL',
        (select count(*) from accounts),
        sum(rules.rows_checked),
        sum(rules.rows_failed),
        1 - sum(rules.weight * rules.rows_failed) / nullif(sum(rules.weight * rules.rows_checked), 0)
    from rules
    group by cube (rules.dimension_code, rules.source_name)
),

measured as (
    select
        dates.as_of_date,
        cells.level_code,
        cells.axis_code,
        cells.dimension_code,
        cells.source_name,
        cells.org_no,
        organisations.org_name,
        coalesce(cells.accounts, 0)::integer as accounts,
        coalesce(counted.defect_cnt, 0)::integer as defect_cnt,
        coalesce(counted.waived_cnt, 0)::integer as waived_cnt,
        (1000 * coalesce(counted.defect_cnt, 0)::numeric / nullif(cells.accounts, 0))::numeric(14, 3)
            as defects_per_1000_accounts,
        coalesce(affected.accounts_affected, 0)::integer as accounts_affected,
        coalesce(affected.kva_affected, 0)::numeric(18, 2) as kva_affected,
        coalesce(affected.revenue_at_risk_cny, 0)::numeric(20, 2) as revenue_at_risk_cny,
        coalesce(counted.energy_at_stake_kwh, 0)::numeric(20, 4) as energy_at_stake_kwh,
        coalesce(counted.amount_at_stake_cny, 0)::numeric(20, 2) as amount_at_stake_cny,
        cells.rows_checked::bigint as rows_checked,
        cells.rows_failed::bigint as rows_failed,
        cells.score::numeric(9, 8) as score
    from cells
    cross join dates
    left join counted using (level_code, axis_code, dimension_code, source_name, org_no)
    left join affected using (level_code, axis_code, dimension_code, source_name, org_no)
    left join organisations on cells.org_no = organisations.org_no
),

final as ({{ partial_rows('measured') }})

select * from final
