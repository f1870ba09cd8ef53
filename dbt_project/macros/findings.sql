{#- The delivered row that a rule judges, and its account: of the same relation, or of the one named. -#}
{% macro row_of(relation, account=none) -%}
    {{ relation }}._raw_id as raw_id,
    {{ account or relation }}.account_no
{%- endmacro %}

{#- The rows of a mart that a rule judges: their key, named after the mart, and its columns. -#}
{% macro mart_row(mart, relation, columns) -%}
    jsonb_build_object(
        'mart', '{{ mart }}'
        {%- for column in columns %}, '{{ column }}', {{ relation }}.{{ column }}{% endfor -%}
    ) as record_key
    {%- for column in columns %},
    {{ relation }}.{{ column }}
    {%- endfor %}
{%- endmacro %}

{#- Where a finding lies: the record, its account, its day where it has one of its own, and the column. -#}
{% macro finding(column, day=none, key='raw_id', account=true) -%}
    {{ key }},
    {{ 'account_no,' if account }}
    {{ day ~ ' as business_date,' if day }}
    '{{ column }}' as column_name
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

{#- Two counts that are to be the same. -#}
{% macro counts_that_differ(column, observed, expected, unit='', day=none, key='record_key', account=false) -%}
    select
        {{ finding(column, day, key, account) }},
        {{ observed }} || '{{ ' ' ~ unit if unit }}' as observed,
        {{ expected }} || '{{ ' ' ~ unit if unit }}' as expected
    from tested
    where {{ observed }} <> {{ expected }}
{%- endmacro %}
