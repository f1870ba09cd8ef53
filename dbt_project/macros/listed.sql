{#-
  True where a value stands in a seed's list of a kind (one or several) that is valid on a day, like a standard series or
  the texts that stand for no value. The list is text; a number is compared as a number.
-#}
{% macro is_listed(value, list, kinds, day=':business_date', type='text') -%}
    {{ value }} in (
        select listed.value::{{ type }}
        from {{ list }} as listed
        where listed.kind in ('{{ ([kinds] if kinds is string else kinds) | join("', '") }}') and {{ is_valid_on('listed', day) }}
    )
{%- endmacro %}

{#- The values of a seed's list of a kind (one or several) that is valid on a day, as an array: for many values of one query. -#}
{% macro values_listed(list, kinds, day=':business_date') -%}
    (
        select array_agg(listed.value)
        from {{ list }} as listed
        where listed.kind in ('{{ ([kinds] if kinds is string else kinds) | join("', '") }}') and {{ is_valid_on('listed', day) }}
    )
{%- endmacro %}

{#- The dates that systems put where no date is known, as an array; not those that the seed allows in the column. -#}
{% macro default_dates_listed(column, day=':business_date') -%}
    (
        select array_agg(defaults.default_date)
        from staging.quality_default_dates as defaults
        where
            {{ is_valid_on('defaults', day) }}
            and '{{ column }}' <> all (string_to_array(coalesce(defaults.allowed_in, ''), ' '))
    )
{%- endmacro %}

{#- True where a date is one that systems put where no date is known; not where the seed allows it, like `mkt_customer.open_date`. -#}
{% macro is_default_date(value, column='') -%}
    {{ value }} in (
        select defaults.default_date
        from staging.quality_default_dates as defaults
        where
            {{ is_valid_on('defaults', ':business_date') }}
            {%- if column %}
            and {{ column }} <> all (string_to_array(coalesce(defaults.allowed_in, ''), ' '))
            {%- endif %}
    )
{%- endmacro %}

{#- True where a row landed since the last passed gate or has an open finding: an old row that passed does not change. -#}
{% macro is_new_or_open(relation, table_name) -%}
    (
        {{ relation }}._load_id > quality.last_passed_load_id()
        or {{ is_open(relation, table_name) }}
    )
{%- endmacro %}

{#- True where a row of a contract table has an open finding. By an index. -#}
{% macro is_open(relation, table_name) -%}
    {{ relation }}._raw_id = any (array(
            select open_findings.raw_id
            from quality.open_findings as open_findings
            where open_findings.table_name = '{{ table_name }}'
        ))
{%- endmacro %}

{#- The delivered numbers of a column, and whether each stands in a seed's list of a kind. -#}
{% macro numbers_listed(relation, column, list, kind) -%}
    select
        {{ row_of('delivered') }},
        delivered.{{ column }},
        {{ is_listed('delivered.' ~ column, list, kind, type='numeric') }} as is_listed
    from {{ relation }} as delivered
    where delivered.{{ column }} is not null
{%- endmacro %}
