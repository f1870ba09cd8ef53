{#- The day on which an instant lies by the utility's clock. -#}
{% macro local_date(at) -%}
    ({{ at }} at time zone 'Asia/Shanghai')::date
{%- endmacro %}

{#- The first day of a day's month. -#}
{% macro month_of(day) -%}
    date_trunc('month', {{ day }}::timestamp)::date
{%- endmacro %}

{#- The last day of the month before a day's month: of the last closed month, where the day is the business date. -#}
{% macro last_month_end(day) -%}
    ({{ month_of(day) }} - 1)
{%- endmacro %}

{#- The first day of the month after the one that begins on a day. -#}
{% macro next_month(month_start) -%}
    ({{ month_start }} + interval '1 month')::date
{%- endmacro %}

{#- All days of the months of a relation, as a list by which an index finds rows. -#}
{% macro days_of_months(relation) -%}
    array(
        select distinct asked.month + later.days
        from {{ relation }} as asked
        cross join lateral generate_series(0, {{ next_month('asked.month') }} - 1 - asked.month) as later (days)
    )
{%- endmacro %}
