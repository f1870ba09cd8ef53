{#- A number from a parameter seed as valid on the business date, as a scalar subquery. -#}
{% macro parameter(seed_name, parameter_code) -%}
    (
        select parameter.number_value
        from {{ ref(seed_name) }} as parameter
        where
            parameter.parameter_code = '{{ parameter_code }}'
            and parameter.valid_from <= {{ business_date() }}
            and (parameter.valid_to is null or {{ business_date() }} < parameter.valid_to)
    )
{%- endmacro %}

{% macro text_parameter(seed_name, parameter_code) -%}
    (
        select parameter.text_value
        from {{ ref(seed_name) }} as parameter
        where
            parameter.parameter_code = '{{ parameter_code }}'
            and parameter.valid_from <= {{ business_date() }}
            and (parameter.valid_to is null or {{ business_date() }} < parameter.valid_to)
    )
{%- endmacro %}
