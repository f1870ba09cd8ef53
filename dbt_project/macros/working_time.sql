{#-
  Working minutes from the start of the calendar to an instant: the whole working days before its day and the part of its
  own, without the noon break. The working time between two instants is the difference of two of these.
  `date` is the row of dim_dates of the local day of `at`, `hours` a row of working_hours.
-#}
{% macro working_minutes_until(at, date, hours) -%}
    (
        ({{ date }}.working_day_no - {{ date }}.is_working_day::integer) * (
            {{ minutes_of_span(hours ~ '.work_starts_at', hours ~ '.work_ends_at') }}
            - {{ minutes_of_span(hours ~ '.break_starts_at', hours ~ '.break_ends_at') }}
        )
        + {{ date }}.is_working_day::integer * (
            {{ minutes_gone(at, hours ~ '.work_starts_at', hours ~ '.work_ends_at') }}
            - {{ minutes_gone(at, hours ~ '.break_starts_at', hours ~ '.break_ends_at') }}
        )
    )
{%- endmacro %}

{% macro minutes_of_span(from_time, to_time) -%}
    (extract(epoch from ({{ to_time }} - {{ from_time }}))::numeric / 60)
{%- endmacro %}

{#- Minutes of a span of the day that have gone by at an instant. -#}
{% macro minutes_gone(at, from_time, to_time) -%}
    (
        extract(epoch from (
            least(greatest(({{ at }} at time zone 'Asia/Shanghai')::time, {{ from_time }}), {{ to_time }}) - {{ from_time }}
        ))::numeric / 60
    )
{%- endmacro %}
