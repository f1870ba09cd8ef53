{#- Slots counted on from one day to the next, so that midnight is a slot like any other. -#}
{% macro slot_index(day, slot) -%}
    (({{ day }} - date '2000-01-01') * 96 + {{ slot }})::integer
{%- endmacro %}

{% macro day_of_slot(slot_index) -%}
    (date '2000-01-01' + ({{ slot_index }} - 1) / 96)
{%- endmacro %}

{% macro slot_of_day(slot_index) -%}
    (({{ slot_index }} - 1) % 96 + 1)
{%- endmacro %}
