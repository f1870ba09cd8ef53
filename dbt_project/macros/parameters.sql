{#-
  A number from a parameter seed as valid on a day, as a scalar subquery. The day is that of the row: a change of a
  parameter from a date then changes only what is later. Without one it is the business date, for what is known now.
-#}
{% macro parameter(seed_name, parameter_code, on=none) -%}
    {{ parameter_column(seed_name, parameter_code, 'number_value', on) }}
{%- endmacro %}

{% macro text_parameter(seed_name, parameter_code, on=none) -%}
    {{ parameter_column(seed_name, parameter_code, 'text_value', on) }}
{%- endmacro %}

{% macro parameter_column(seed_name, parameter_code, column_name, on) -%}
    (
        select parameter.{{ column_name }}
        from {{ ref(seed_name) }} as parameter
        where
            parameter.parameter_code = '{{ parameter_code }}'
            and parameter.valid_from <= {{ on or business_date() }}
            and (parameter.valid_to is null or {{ on or business_date() }} < parameter.valid_to)
    )
{%- endmacro %}

{#- After a seed is loaded: of one that is keyed by company and province, what is of another is taken out, for models and rules alike. -#}
{% macro leave_what_holds_here() -%}
    {%- if 'company_code' in model.config.column_types -%}
        delete from {{ this }}
        where
            coalesce(company_code, '{{ var("company_code") }}') <> '{{ var("company_code") }}'
            or coalesce(province_code, '{{ var("province_code") }}') <> '{{ var("province_code") }}'
    {%- endif -%}
{%- endmacro %}
