{#- A threshold of a gate rule as valid on a day, so that a mart and the rule on the same matter agree. -#}
{% macro rule_parameter(rule_id, name, on) -%}
    (
        select parameter.value
        from {{ ref('quality_parameters') }} as parameter
        where
            parameter.rule_id = '{{ rule_id }}'
            and parameter.name = '{{ name }}'
            and parameter.valid_from <= {{ on }}
            and (parameter.valid_to is null or {{ on }} < parameter.valid_to)
    )
{%- endmacro %}
