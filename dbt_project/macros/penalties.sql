{#-
  Days after the due date on which a balance was open, up to a day: of the year in which it was due, or of the years after.
  The day of payment counts, the due day does not. Columns as in int_bill_balances.
-#}
{% macro overdue_days(balances, as_of, cross_year=false) -%}
    {%- set from_day = balances ~ '.from_date, ' ~ balances ~ '.due_date' -%}
    {%- set to_day = balances ~ '.to_date, ' ~ as_of -%}
    {%- set year_end = "(date_trunc('year', " ~ balances ~ ".due_date::timestamp) + interval '1 year')::date - 1" -%}
    {%- if cross_year -%}
        greatest(least({{ to_day }}) - greatest({{ from_day }}, {{ year_end }}), 0)
    {%- else -%}
        greatest(least({{ to_day }}, {{ year_end }}) - greatest({{ from_day }}), 0)
    {%- endif -%}
{%- endmacro %}

{#-
  Late payment penalty of a bill in yuan: each year's part is charged as a line of its own, rounded to the cent, and no
  penalty is below the least one.
-#}
{% macro penalty_due_cny(current_year_cny_days, cross_year_cny_days, rates) -%}
    case
        when {{ current_year_cny_days }} + {{ cross_year_cny_days }} > 0
            then greatest(
                round({{ current_year_cny_days }} * {{ rates }}.current_year_rate, 2)
                + round({{ cross_year_cny_days }} * {{ rates }}.cross_year_rate, 2),
                {{ rates }}.least_cny
            )
        else 0
    end
{%- endmacro %}
