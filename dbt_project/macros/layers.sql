{#- A layer's schema is its name: no target prefix, or readers and grants would depend on who runs dbt. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{#- The business date D of this run, as a scalar subquery: a dbt variable would force a full parse every night. -#}
{% macro business_date() -%}
    (select current_run.business_date from {{ source('quality', 'current_run') }} as current_run)
{%- endmacro %}

{#- A month delivered as YYYYMM, as its first day; null where the text is no month (a base rule reports it). -#}
{% macro month_start(column_name) -%}
    case when {{ column_name }} ~ '^[0-9]{4}(0[1-9]|1[0-2])$' then to_date({{ column_name }}, 'YYYYMM') end
{%- endmacro %}
