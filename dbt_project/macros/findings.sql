{#- The delivered row that a rule judges, and its account: of the same relation, or of the one named. -#}
{% macro row_of(relation, account=none) -%}
    {{ relation }}._raw_id as raw_id,
    {{ account or relation }}.account_no
{%- endmacro %}

{#- The key of a mart's row, named after the mart. -#}
{% macro mart_key(mart, relation, columns) -%}
    jsonb_build_object(
        'mart', '{{ mart }}'
        {%- for column in columns %}, '{{ column }}', {{ relation }}.{{ column }}{% endfor -%}
    ) as record_key
{%- endmacro %}

{#- The rows of a mart that a rule judges: their key and its columns. -#}
{% macro mart_row(mart, relation, columns) -%}
    {{ mart_key(mart, relation, columns) }}
    {%- for column in columns %},
    {{ relation }}.{{ column }}
    {%- endfor %}
{%- endmacro %}

{#-
  Where a finding lies: the record, its account, its day where it has one of its own, and the column: a name, or what gives
  the name row by row (`column_sql`).
-#}
{% macro finding(column=none, day=none, key='raw_id', account=true, column_sql=none) -%}
    {{ key }},
    {{ 'account_no,' if account }}
    {{ day ~ ' as business_date,' if day }}
    {{ column_sql or "'" ~ column ~ "'" }} as column_name
{%- endmacro %}

{#- Two amounts in yuan that are to be the same: what of `tested` differs by more than the tolerance, or at all without one. -#}
{% macro amounts_that_differ(column, observed, expected, tolerance=none, day=none, key='raw_id', account=true, energy=none) -%}
    select
        {{ finding(column, day, key, account) }},
        coalesce({{ observed }}::text, 'empty') as observed,
        {{ 'round(' ~ expected ~ ', 2)' if tolerance else expected }}::text as expected,
        {{ energy ~ ' as energy_at_stake_kwh,' if energy }}
        abs({{ observed }} - {{ expected }}) as amount_at_stake_cny
    from tested
    where
        {% if tolerance -%}
        abs({{ observed }} - {{ expected }}) > {{ tolerance }}
        {%- else -%}
        {{ observed }} is distinct from {{ expected }}
        {%- endif %}
{%- endmacro %}

{#- Records of a mart by month, and how many of them staging has: the days of a month, or those of it that have come. -#}
{% macro counted_by_month(mart, month, number, relation, day, up_to=none, records=none) -%}
    with months as (
        select {{ month }}, {{ records or 'count(distinct ' ~ number ~ ')' }} as listed
        from candidate.{{ mart }}
        group by {{ month }}
    )

    select
        {{ mart_row(mart, 'months', [month]) }},
        months.listed,
        count(distinct staged.{{ number }}) as staged
    from months
    left join {{ relation }} as staged
        on
            months.{{ month }} <= {{ day }}
            and {{ day }} < months.{{ month }} + interval '1 month'
            {{ 'and ' ~ day ~ ' <= ' ~ up_to if up_to }}
    group by months.{{ month }}, months.listed
{%- endmacro %}

{#- Two values that are to be the same; `expected_unit` where the expected one is told in other words. -#}
{% macro values_that_differ(column, observed, expected, unit='', expected_unit=none, day=none, key='record_key', account=false) -%}
    select
        {{ finding(column, day, key, account) }},
        {{ observed }} || '{{ ' ' ~ unit if unit }}' as observed,
        {{ expected }} || '{{ ' ' ~ (expected_unit or unit) if unit }}' as expected
    from tested
    where {{ observed }} <> {{ expected }}
{%- endmacro %}

{#- A part that is less than a share of its whole. -#}
{% macro share_too_low(column, part, whole, share, unit='', day=none, key='raw_id') -%}
    select
        {{ finding(column, day, key, account=false) }},
        {{ part }} || ' of ' || {{ whole }} || '{{ ' ' ~ unit if unit }}' as observed,
        'at least ' || round(100 * {{ share }}) || ' %' as expected
    from tested
    where {{ part }} < {{ share }} * {{ whole }}
{%- endmacro %}

{#- For rules on deliveries: `loads`, what landed since the last night that was published, and of before what has a restatement
    on record, so that its finding ends. A rerun of a night judges what that night judged. -#}
{% macro loads_of_tonight() -%}
    with published as (
        select coalesce(max(runs.last_load_id), 0) as load_id
        from quality.runs
        where runs.state = 'published' and runs.business_date < :business_date::date
    ),

    loads as (
        select
            receipts.load_id,
            receipts.source_name,
            receipts.table_name,
            receipts.load_id > published.load_id as is_of_tonight
        from quality.receipts
        cross join published
        where
            receipts.state = 'landed'
            and receipts.business_date <= :business_date::date
            and (
                receipts.load_id > published.load_id
                or receipts.load_id in (select noted.load_id from quality.restatements as noted)
            )
    )
{%- endmacro %}
