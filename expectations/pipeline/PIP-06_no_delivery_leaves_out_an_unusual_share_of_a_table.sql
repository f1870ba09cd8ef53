/*
sentence: No delivery leaves out an unusual share of the rows in force of its table or of one office in it.
axis: missing
dimension: completeness
severity: block
owner: data engineering
reason: Half of a file is as valid as the whole one. Rows that are missing in unusual numbers stay in force until the next delivery, a manifest or a person confirms that they are withdrawn; too many of them stop the night.
source: seed delivery_limits
subject: table
population: tables that have landed
reads: [quality.open_withdrawals, quality.receipts, quality.withdrawal_checks]
*/
-- tested
with landed as (
    select receipts.table_name, min(receipts.source_name) as source_name
    from quality.receipts
    where receipts.state = 'landed' and receipts.business_date <= :business_date::date
    group by receipts.table_name
),

missing as (
    select
        withdrawals.table_name,
        count(*) as rows,
        bool_or(withdrawals.blocks) as blocks,
        max(withdrawals.load_id) as load_id
    from quality.open_withdrawals as withdrawals
    where withdrawals.business_date <= :business_date::date
    group by withdrawals.table_name
),

by_office as (
    select
        missing.table_name,
        string_agg(
            'office ' || checks.office || ': ' || checks.absent_rows || ' of ' || checks.in_force_rows, '; '
            order by checks.absent_rows desc, checks.office
        ) as offices
    from missing
    inner join quality.withdrawal_checks as checks on missing.load_id = checks.load_id
    where checks.office is not null
    group by missing.table_name
)

select
    jsonb_build_object('table', landed.table_name) as record_key,
    landed.table_name,
    landed.source_name,
    missing.rows,
    missing.blocks,
    checks.in_force_rows,
    by_office.offices
from landed
left join missing on landed.table_name = missing.table_name
left join quality.withdrawal_checks as checks on missing.load_id = checks.load_id and checks.office is null
left join by_office on landed.table_name = by_office.table_name
-- violations
select
    record_key,
    table_name,
    source_name,
    case when blocks then 'block' else 'warn' end as severity,
    rows || ' of ' || in_force_rows || ' rows in force were not delivered' || coalesce(' (' || offices || ')', '') as observed,
    'all of them, or a confirmation: ./kaw pending list ' || table_name as expected
from tested
where rows > 0
