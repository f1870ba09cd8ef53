{#-
  A relation as a model reads it that is built by touched units and days: all of it, or its rows of what is touched tonight.
  `days_before` and `days_after` widen that: a row needs its neighbours too. The model's own unit and day (`meta.touched_by`)
  are columns of the relation, under the same names unless told.
-#}
{% macro touched(relation, unit=none, day=none, days_before=0, days_after=0) -%}
    {%- if build_mode() == 'touched' -%}
        ({{ touched_rows(relation, 'built.*', unit, day, days_before, days_after) }}) as touched_rows
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- Three parts that exclude each other, each by an index on unit and day, or on the day. -#}
{% macro touched_rows(relation, columns, unit=none, day=none, days_before=0, days_after=0) -%}
    {%- set scope = config.get('meta')['touched_by'] -%}
    {%- set unit = 'built.' ~ (unit or scope.unit) -%}
    {%- set day = 'built.' ~ (day or scope.day) -%}
        select {{ columns }}
        from {{ relation }} as built
        where {{ unit }} in (select touched.unit from pg_temp.touched_units as touched)
        union all
        select {{ columns }}
        from {{ relation }} as built
        inner join {{ touched_days('touched_dates', days_before, days_after) }} as touched on {{ day }} = touched.day
        where {{ unit }} is null or {{ unit }} not in (select whole.unit from pg_temp.touched_units as whole)
        union all
        select {{ columns }}
        from {{ relation }} as built
        inner join {{ touched_days('touched_days', days_before, days_after) }} as touched
            on {{ unit }} = touched.unit and {{ day }} = touched.day
        {%- if days_before or days_after %}
        where {{ day }} not in (select near.day from {{ touched_days('touched_dates', days_before, days_after) }} as near)
        {%- endif %}
{%- endmacro %}

{#- True where a row is one of those that are built tonight: for models that read more than they build. -#}
{% macro is_touched(unit, day) -%}
    {%- if build_mode() == 'touched' -%}
    (
        {{ unit }} in (select touched.unit from pg_temp.touched_units as touched)
        or {{ day }} in (select touched.day from pg_temp.touched_dates as touched)
        or ({{ unit }}, {{ day }}) in (select touched.unit, touched.day from pg_temp.touched_days as touched)
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{% macro touched_days(table_name, days_before, days_after) -%}
    {%- set unit = 'touched.unit, ' if table_name == 'touched_days' -%}
    {%- if days_before or days_after -%}
    (
            select distinct {{ unit }}touched.day + shifts.days as day
            from pg_temp.{{ table_name }} as touched
            cross join generate_series({{ -days_before }}, {{ days_after }}) as shifts (days)
        )
    {%- else -%}
    pg_temp.{{ table_name }}
    {%- endif -%}
{%- endmacro %}
