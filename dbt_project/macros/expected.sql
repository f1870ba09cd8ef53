{#- A channel of a meter in one word, like `E+ T` of a curve or `ACTIVE FWD PEAK` of a register; parts that are null are left out. -#}
{% macro channel_code(parts) -%}
    concat_ws(' ', {{ parts | join(', ') }})
{%- endmacro %}

{#- The due date of a thing of the list expected_things whose period has ended: so many days after the day given. -#}
{% macro due_after(day, what, column='due_days') -%}
    ({{ day }} + (
        select things.{{ column }}
        from {{ ref('expected_things') }} as things
        where things.what_code = '{{ what }}' and {{ is_valid_on('things', business_date()) }}
    ))
{%- endmacro %}

{#- The last load of the nights published for days before this one: the same night again looks at the same rows as at first. -#}
{% macro last_load_of_nights_before(day) -%}
    (
        select coalesce(max(runs.last_load_id), 0)
        from {{ source('quality', 'runs') }} as runs
        where runs.state = 'published' and runs.business_date < {{ day }}
    )
{%- endmacro %}

{#-
  For rules on shares: what is expected and absent of each kind of thing for each day or month, of all offices together and of
  each. What another rule tells of the night's own delivery is marked: ARR that nothing was delivered, MET-23 that little energy was.
-#}
{% macro expected_shares(whats) -%}
    with things as (
        select *
        from staging.int_expected_things
        where is_whole and what_code in ('{{ whats | join("', '") }}')
    ),

    landed as (
        select distinct receipts.table_name
        from quality.receipts as receipts
        where receipts.business_date = :business_date and receipts.state = 'landed'
    ),

    {% if 'curve' in whats -%}
    energy as (
        select
            count(*) filter (where things.is_arrived)
            < quality.parameter('MET-23', 'block_below_share', :business_date) * count(*) as is_short
        from things
        inner join staging.int_metering_points_as_of as points
            on
                things.owner_no = points.metering_point_no
                and points.is_expected_to_report
                and {{ is_valid_on('points', ':business_date') }}
        where things.what_code = 'curve' and things.channel_code = 'E+ T' and things.period_date = :business_date
    ),

    {% endif -%}
    counted as (
        select
            what_code,
            table_name,
            period_date,
            org_no,
            count(*) as expected_count,
            count(*) filter (where is_arrived) as arrived_count,
            count(distinct account_no) filter (where not is_arrived) as absent_accounts,
            bool_or(what_code = 'bill' and since_date <= :business_date) as are_bills_due,
            quality.parameter('EXP-01', 'block_below_share', :business_date) as block_below
        from things
        group by grouping sets ((what_code, table_name, period_date), (what_code, table_name, period_date, org_no))
    ),

    -- A month whose bills came before they are due makes no month before it an old one, unless too few of them came.
    dated as (
        select
            counted.*,
            org_no is null and (
                what_code not like 'bill%'
                or bool_or(are_bills_due) over (partition by period_date)
                or arrived_count < block_below * expected_count
            ) as can_be_newest
        from counted
    )

    select
        jsonb_strip_nulls(jsonb_build_object(
            'what', counted.what_code,
            'org_no', counted.org_no,
            'data_date', case when counted.what_code not like 'bill%' then counted.period_date end,
            'bill_month', case when counted.what_code like 'bill%' then to_char(counted.period_date, 'YYYYMM') end
        )) as record_key,
        counted.table_name,
        counted.what_code,
        counted.period_date,
        counted.org_no,
        counted.expected_count,
        counted.arrived_count,
        counted.absent_accounts,
        coalesce(
            counted.period_date >= max(counted.period_date) filter (where counted.can_be_newest) over (partition by counted.what_code), true
        ) as is_newest,
        counted.period_date = :business_date
        and (landed.table_name is null{{ " or counted.what_code = 'curve' and energy.is_short" if 'curve' in whats }}) as is_told_elsewhere,
        counted.block_below,
        quality.parameter('EXP-01', 'least_accounts', :business_date) as least_accounts
    from dated as counted
    {{ 'cross join energy' if 'curve' in whats }}
    left join landed on counted.table_name = landed.table_name
{%- endmacro %}

{#- The shares that are too low: of a table below its limit, else of an office that delivered nothing. The newest day or month stops the night. -#}
{% macro shares_too_low(column) -%}
    select
        record_key,
        table_name,
        '{{ column }}' as column_name,
        period_date as business_date,
        arrived_count || ' of ' || expected_count || ' ' || what_code || 's' as observed,
        case
            when org_no is null then 'at least ' || round(100 * block_below) || ' %'
            else 'something of office ' || org_no
        end as expected,
        case when is_newest then 'block' else 'warn' end as severity
    from (
        select
            tested.*,
            arrived_count < block_below * expected_count and absent_accounts >= least_accounts as is_short,
            bool_or(arrived_count < block_below * expected_count and absent_accounts >= least_accounts) filter (where org_no is null)
                over (partition by what_code, period_date) as is_table_short
        from tested
    ) as judged
    where
        not coalesce(is_told_elsewhere, false)
        and case when org_no is null then is_short else not is_table_short and arrived_count = 0 and absent_accounts >= least_accounts end
{%- endmacro %}

{#- The things of one rule that should be there, and what is said of those that are absent and not part of a greater absence. -#}
{% macro expected_of(rule_id) -%}
    select
        things.record_key,
        things.account_no,
        things.period_date,
        things.owner_no,
        things.channel_code,
        not things.is_arrived and things.explained_by is null as is_absent
    from staging.int_expected_things as things
    where things.rule_id = '{{ rule_id }}'
{%- endmacro %}

{% macro absent(column, observed, expected) -%}
    select
        {{ finding(column, day='period_date', key='record_key') }},
        {{ observed }} as observed,
        {{ expected }} as expected
    from tested
    where is_absent
{%- endmacro %}
