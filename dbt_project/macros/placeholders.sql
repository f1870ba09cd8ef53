{#- True where a text is filled: neither empty, nor a placeholder of its kind, nor one character over and over. -#}
{% macro is_filled(column_name, kind) -%}
    (
        nullif(trim({{ column_name }}), '') is not null
        and trim({{ column_name }}) !~ '^(.)\1*$'
        and lower(trim({{ column_name }})) not in (
            select lower(placeholder.value)
            from {{ ref('quality_placeholders') }} as placeholder
            where
                placeholder.kind = '{{ kind }}'
                and placeholder.value is not null
                and {{ is_valid_on('placeholder', business_date()) }}
        )
    )
{%- endmacro %}
