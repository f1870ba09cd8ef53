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
