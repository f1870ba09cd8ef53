{#- True where a day lies in a period: its first day counts, its end does not, an open end is null. -#}
{% macro is_in_period(day, first_day, end_day) -%}
    ({{ first_day }} <= {{ day }} and ({{ end_day }} is null or {{ day }} < {{ end_day }}))
{%- endmacro %}

{#- True where a day lies in the validity of a row. -#}
{% macro is_valid_on(relation, day) -%}
    {{ is_in_period(day, relation ~ '.valid_from', relation ~ '.valid_to') }}
{%- endmacro %}

{#- True where the validities of two rows have a day in common. -#}
{% macro are_valid_together(one, other, first_day='valid_from', end_day='valid_to') -%}
    (
        {{ other }}.{{ first_day }} < coalesce({{ one }}.{{ end_day }}, 'infinity')
        and {{ one }}.{{ first_day }} < coalesce({{ other }}.{{ end_day }}, 'infinity')
    )
{%- endmacro %}

{#- The same day a number of months earlier. -#}
{% macro months_before(day, months) -%}
    ({{ day }} - make_interval(months => ({{ months }})::integer))::date
{%- endmacro %}
