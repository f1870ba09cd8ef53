{#- True where a day lies in the validity of a row; an open end is null. -#}
{% macro is_valid_on(relation, day) -%}
    ({{ relation }}.valid_from <= {{ day }} and ({{ relation }}.valid_to is null or {{ day }} < {{ relation }}.valid_to))
{%- endmacro %}

{#- The same day a number of months earlier. -#}
{% macro months_before(day, months) -%}
    ({{ day }} - make_interval(months => ({{ months }})::integer))::date
{%- endmacro %}
