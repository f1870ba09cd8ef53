{#-
  What the seed of formats states of a meaning (one or several) on a day: an aggregate over the patterns that hold, or over
  those that must not match. Null where it states none.
-#}
{% macro of_formats(aggregate, meanings, holds=true, day=':business_date') -%}
    (
        select {{ aggregate }}
        from staging.quality_formats as formats
        where
            formats.meaning in ('{{ ([meanings] if meanings is string else meanings) | join("', '") }}')
            and {{ 'formats.holds' if holds else 'not formats.holds' }}
            and {{ is_valid_on('formats', day) }}
    )
{%- endmacro %}

{#- Patterns of a meaning as one regular expression. -#}
{% macro format_pattern(meanings, holds=true) -%}
    {{ of_formats("string_agg('(?:' || formats.pattern || ')', '|')", meanings, holds) }}
{%- endmacro %}

{#- What a value of a meaning looks like, in words. -#}
{% macro format_in_words(meanings, holds=true) -%}
    {{ of_formats("string_agg(formats.described, ' or ' order by formats.described)", meanings, holds) }}
{%- endmacro %}
