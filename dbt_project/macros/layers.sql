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

{#-
  Statistics for whatever reads this table next in the same run. The 96 values of a curve are never planned on, and
  looking at them takes longer than everything else, so the models that carry them name the columns to look at.
-#}
{% macro analyze_this() -%}
    {% if model.config.materialized != 'view' -%}
        {% set columns = model.config.meta.get('analyzed_columns') -%}
        analyze {{ this }}{{ ' (' ~ columns ~ ')' if columns }}
    {%- endif %}
{%- endmacro %}
