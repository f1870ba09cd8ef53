{{ config(
    indexes=[{'columns': ['what_code']}, {'columns': ['rule_id']}, {'columns': ['is_arrived', 'is_estimated']}],
    meta={'analyzed_columns': 'what_code, account_no, period_date, is_arrived, explained_by'}
) }}

-- What should be there and whether it has arrived, in whatever state: a bad row is not an absent one. Absence at a coarser
-- level explains the finer ones: a table of which little arrived, an office without anything, a point without any of its curves, say.
-- Built before gate 1 alone: with withheld rows left out, what is quarantined would look absent.
{%- set whats = ['readings', 'collections', 'bills', 'bill_lines', 'contacts', 'stages', 'notices', 'trades'] %}

with things as (
    select * from {{ ref('expected_things') }}
    where {{ is_valid_on('expected_things', business_date()) }}
),

offices as (
    select * from {{ ref('int_account_offices') }}
),

receipts as (
    select * from {{ source('quality', 'receipts') }}
),

expected as (
    {%- for what in whats %}
    {{ 'union all' if not loop.first }}
    select
        what_code,
        owner_no,
        account_no,
        channel_code,
        record_key,
        period_date,
        since_date,
        is_whole,
        is_arrived
    from {{ ref('int_expected_' ~ what) }}
    {%- endfor %}
),

placed as (
    select
        expected.*,
        things.table_name,
        things.rule_id,
        coalesce(offices.org_no, 'none') as org_no,
        things.is_estimated,
        things.is_judged_as_a_whole and expected.is_whole as is_judged
    from expected
    inner join things on expected.what_code = things.what_code
    left join offices on expected.account_no = offices.account_no
),

-- Of a table that was never delivered nothing is known to be missing: a source that has it begins with rows.
delivered_tables as (
    select distinct table_name
    from receipts
    where state = 'landed' and delivered_rows > 0
),

by_office as (
    select
        what_code,
        period_date,
        org_no,
        count(*) as expected_cnt,
        count(*) filter (where not is_arrived) as absent_cnt,
        count(distinct account_no) filter (where not is_arrived) as absent_accounts
    from placed
    where is_judged
    group by what_code, period_date, org_no
),

by_table as (
    select
        what_code,
        period_date,
        sum(expected_cnt) as expected_cnt,
        sum(absent_cnt) as absent_cnt,
        sum(absent_accounts) as absent_accounts
    from by_office
    group by what_code, period_date
),

limits as (
    select
        {{ rule_parameter('EXP-01', 'block_below_share', business_date()) }} as least_share,
        {{ rule_parameter('EXP-01', 'least_accounts', business_date()) }} as least_accounts
),

short_tables as (
    select
        by_table.what_code,
        by_table.period_date
    from by_table
    cross join limits
    where
        by_table.expected_cnt - by_table.absent_cnt < limits.least_share * by_table.expected_cnt
        and by_table.absent_accounts >= limits.least_accounts
),

silent_offices as (
    select
        by_office.what_code,
        by_office.period_date,
        by_office.org_no
    from by_office
    cross join limits
    where by_office.absent_cnt = by_office.expected_cnt and by_office.absent_accounts >= limits.least_accounts
),

silent_points as (
    select
        what_code,
        owner_no,
        period_date
    from placed
    where what_code in ('curve', 'register', 'voltage')
    group by what_code, owner_no, period_date
    having not bool_or(is_arrived)
),

final as (
    select
        placed.what_code,
        placed.table_name,
        placed.rule_id,
        placed.owner_no,
        placed.account_no,
        placed.org_no,
        placed.channel_code,
        placed.period_date,
        placed.since_date,
        placed.record_key,
        placed.is_whole,
        placed.is_estimated,
        placed.is_arrived,
        case
            when placed.is_arrived then null
            when placed.is_judged and short_tables.what_code is not null then 'table'
            when placed.is_judged and silent_offices.what_code is not null then 'office'
            when silent_points.what_code is not null then 'point'
        end as explained_by
    from placed
    inner join delivered_tables on placed.table_name = delivered_tables.table_name
    left join short_tables
        on
            placed.what_code = short_tables.what_code
            and placed.period_date is not distinct from short_tables.period_date
    left join silent_offices
        on
            placed.what_code = silent_offices.what_code
            and placed.org_no = silent_offices.org_no
            and placed.period_date is not distinct from silent_offices.period_date
    left join silent_points
        on
            placed.what_code = silent_points.what_code
            and placed.owner_no = silent_points.owner_no
            and placed.period_date = silent_points.period_date
)

select * from final
