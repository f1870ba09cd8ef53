{#-
  The rows of a mart, with what of them is partial: meta.partial says which measures need what, in `measure_families` of
  dbt_project.yml. What rests on a row that waits to be withdrawn is only named as partial. A measure that lacks a part is null, or the sum of what was admitted where what is withheld cannot be
  negative (`shows: admitted_sum`; nothing admitted is null, never 0), or a provisional figure that goes on with its flag
  (`shows: provisional`: a rank, a share, an estimate). A part is lacked by the row that it names by one of the numbers of
  `same`, else by the rows of its account; a measure `over: all`, and a row of no account, lack every part of their months.
  `own_withheld` for a mart that counts its withheld rows itself.
-#}
{% macro partial_rows(measured, own_withheld=false) %}
    {%- if not execute or model.resource_type != 'model' -%}
        {#- dbt parses, or tests the formula alone -#}
        {%- if not execute %}{% do ref('int_withheld_parts') %}{% endif %}
    select
        {{ measured }}.*,
        false as is_partial,
        '{}'::text [] as partial_measures
        {%- if not own_withheld %},
        0 as withheld_rows,
        0::numeric(20, 4) as withheld_kwh,
        0::numeric(20, 2) as withheld_cny
        {%- endif %}
    from {{ measured }}
    {%- else -%}
        {%- set partial = model.config.meta.partial -%}
        {%- set month = partial.month or model.config.meta.published_month -%}
        {%- set grain = model.config.meta.grain -%}
        {%- set of_grain -%}{% for column in grain %}measured.{{ column }}, {% endfor %}{%- endset -%}
        {%- set of_part = 'parts.part_no, parts.measure_no, parts.withheld_rows, parts.withheld_kwh, parts.withheld_cny, parts.is_lower_bound, parts.is_there' -%}
        {%- set by_grain = grain | join(', ') -%}
        {%- set measures_of = {} -%}
        {%- for measure in partial.measures -%}
            {%- set number = loop.index0 -%}
            {%- for column in measure.columns -%}
                {%- do measures_of.update({column: measures_of.get(column, []) + [number]}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set added = ['is_partial', 'partial_measures'] + ([] if own_withheld else ['withheld_rows', 'withheld_kwh', 'withheld_cny']) -%}
        {%- set row_is_all = 'false' if partial.account or partial.same else 'true' -%}
        {%- set row_is_all = 'measured.' ~ partial.account ~ ' is null' if partial.account else row_is_all %}
    with needed (measure_no, part_table, part_column, from_month, to_month, is_over_all, is_by_day) as (
        values
        {{ needed_parts(partial) }}
    ),

    measure_columns (measure_no, measure_column) as (
        values
        {{ columns_of_measures(partial) }}
    ),

    parts as (
        select
            withheld.*,
            needed.*
        from {{ ref('int_withheld_parts') }} as withheld
        inner join needed
            on withheld.table_name = needed.part_table and (withheld.column_name = '' or withheld.column_name = needed.part_column)
    ),

    lacked as (
        {%- for column, names in (partial.same or {}).items() %}
        {%- for name in ([names] if names is string else names) %}
        select
            {{ of_grain }}
            {{ of_part }}
        from {{ measured }} as measured
        inner join parts on measured.{{ column }} = parts.identifiers ->> '{{ name }}'
        where
            not parts.is_over_all
            {%- if partial.day %}
            and (not parts.is_by_day or parts.fact_date is null or parts.fact_date = measured.{{ partial.day }})
            and (parts.is_by_day or {{ in_months('measured.' ~ month) }})
            {%- endif %}
        union all
        {%- endfor %}
        {%- endfor %}
        select
            {{ of_grain }}
            {{ of_part }}
        from {{ measured }} as measured
        inner join parts on {{ 'measured.' ~ partial.account ~ ' = parts.account_no' if partial.account else 'false' }}
        where
            not parts.is_over_all
            {%- for names in (partial.same or {}).values() %}
            {%- for name in ([names] if names is string else names) %}
            and not parts.identifiers ? '{{ name }}'
            {%- endfor %}
            {%- endfor %}
            and {{ in_months('measured.' ~ month) }}
    ),

    lacked_by_all as (
        select
            months.of_month,
            months.is_every_measure,
            {{ of_part }}
        from (
            select distinct
                date_trunc('month', measured.{{ month }}::timestamp) as of_month,
                {{ row_is_all }} as is_every_measure
            from {{ measured }} as measured
        ) as months
        inner join parts on (parts.is_over_all or months.is_every_measure) and {{ in_months('months.of_month') }}
    ),

    own as (
        {{ lacked_measures('lacked', by_grain) }}
    ),

    of_all as (
        {{ lacked_measures('lacked_by_all', 'of_month, is_every_measure') }}
    ),

    marked as (
        select
            measured.*,
            own.measure_nos is not null or of_all.measure_nos is not null as is_partial,
            coalesce(own.measure_nos, '{}') || coalesce(of_all.measure_nos, '{}') as measure_nos,
            coalesce(own.lacking_nos, '{}') || coalesce(of_all.lacking_nos, '{}') as lacking_nos,
            coalesce(own.unbounded_nos, '{}') || coalesce(of_all.unbounded_nos, '{}') as unbounded_nos,
            {%- for amount in ('withheld_rows', 'withheld_kwh', 'withheld_cny') %}
            coalesce(own.{{ amount }}, case when {{ row_is_all }} then of_all.{{ amount }} end, 0) as lacked_{{ loop.index }}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ measured }} as measured
        left join own on {% for column in grain %}measured.{{ column }} = own.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
        left join of_all
            on
                date_trunc('month', measured.{{ month }}::timestamp) = of_all.of_month
                and of_all.is_every_measure = ({{ row_is_all }})
    )

    select
        {%- for name, column in model.columns.items() if name not in added %}
        {{ shown_measure(name, column.data_type, measures_of.get(name, []), partial.measures) }},
        {%- endfor %}
        marked.is_partial,
        case
            when marked.is_partial
                then array(
                    select distinct measure_columns.measure_column
                    from measure_columns
                    where measure_columns.measure_no = any(marked.measure_nos)
                    order by measure_columns.measure_column
                )
            else '{}'::text []
        end as partial_measures
        {%- if not own_withheld %},
        marked.lacked_1::integer as withheld_rows,
        marked.lacked_2::numeric(20, 4) as withheld_kwh,
        marked.lacked_3::numeric(20, 2) as withheld_cny
        {%- endif %}
    from marked
    {%- endif %}
{% endmacro %}

{#- What each measure needs, by its place in the list; months from and to are relative to that of the row, null is without end. -#}
{% macro needed_parts(partial) -%}
    {%- set lines = [] -%}
    {%- for measure in partial.measures -%}
        {%- set number = loop.index0 -%}
        {%- set months = measure.months or [0, 0] -%}
        {%- for family in measure.needs -%}
            {%- for part in var('measure_families')[family] -%}
                {%- set names = part.split('.') -%}
                {%- do lines.append("(%s, '%s', '%s', %s, %s, %s, %s)" % (
                    number, names[0], names[1] if names | length > 1 else '',
                    'null::integer' if months[0] is none else months[0],
                    'null::integer' if months[1] is none else months[1],
                    'true' if measure.over == 'all' else 'false',
                    'true' if partial.day and not measure.months else 'false'
                )) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ lines | join(',\n        ') if lines else '(null::integer, null, null, null::integer, null::integer, null::boolean, null::boolean)' }}
{%- endmacro %}

{% macro columns_of_measures(partial) -%}
    {%- set lines = [] -%}
    {%- for measure in partial.measures -%}
        {%- set number = loop.index0 -%}
        {%- for column in measure.columns -%}
            {%- do lines.append("(%s, '%s')" % (number, column)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ lines | join(',\n        ') if lines else '(null::integer, null::text)' }}
{%- endmacro %}

{#- Whether a part falls into the months that a measure looks at; a part without a day does always. -#}
{% macro in_months(month) -%}
    (
        parts.fact_date is null
        or (
            (
                parts.from_month is null
                or parts.fact_date >= date_trunc('month', {{ month }}::timestamp) + make_interval(months => parts.from_month)
            )
            and (
                parts.to_month is null
                or parts.fact_date < date_trunc('month', {{ month }}::timestamp) + make_interval(months => parts.to_month + 1)
            )
        )
    )
{%- endmacro %}

{#- By row or month: the measures that are not complete, those that lack something, those whose admitted sum is no bound, and
  each part once. -#}
{% macro lacked_measures(lacked, keys) -%}
    select
        {{ keys }},
        array_agg(distinct measure_no) as measure_nos,
        coalesce(array_agg(distinct measure_no) filter (where is_there is not true), '{}') as lacking_nos,
        coalesce(array_agg(distinct measure_no) filter (where not is_lower_bound), '{}') as unbounded_nos,
        sum(withheld_rows) filter (where is_first) as withheld_rows,
        sum(withheld_kwh) filter (where is_first) as withheld_kwh,
        sum(withheld_cny) filter (where is_first) as withheld_cny
    from (
        select
            *,
            row_number() over (partition by {{ keys }}, part_no order by measure_no) = 1 as is_first
        from {{ lacked }}
    ) as counted
    group by {{ keys }}
{%- endmacro %}

{#- A column as it is shown: by the strictest of the measures that it belongs to. -#}
{% macro shown_measure(name, data_type, numbers, measures) -%}
    {%- set nulled = [] -%}
    {%- set summed = [] -%}
    {%- for number in numbers -%}
        {%- set shows = measures[number].shows or 'null' -%}
        {%- if shows == 'null' %}{% do nulled.append(number) %}{% elif shows == 'admitted_sum' %}{% do summed.append(number) %}{% endif -%}
    {%- endfor -%}
    {%- if nulled or summed -%}
        case
            {%- if nulled %}
            when marked.lacking_nos && array{{ nulled }} then null
            {%- endif %}
            {%- if summed %}
            when marked.unbounded_nos && array{{ summed }} then null
            when marked.lacking_nos && array{{ summed }} then nullif(marked.{{ name }}, 0)
            {%- endif %}
            else marked.{{ name }}
        end::{{ data_type }} as {{ name }}
    {%- else -%}
        marked.{{ name }}
    {%- endif -%}
{%- endmacro %}
