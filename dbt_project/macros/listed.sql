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
        {{ relation }}._load_id > (select current_run.last_passed_load_id from quality.current_run as current_run)
        or {{ relation }}._raw_id in (
            select open_findings.raw_id
            from quality.open_findings as open_findings
            where open_findings.table_name = '{{ table_name }}'
        )
    )
{%- endmacro %}
