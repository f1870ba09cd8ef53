{#- The columns of a model's stated grain name at most one row each, and are never null but for those that say *any* by it. -#}
{% test unique_grain(model, columns, any_if_null=[]) %}
    select
        {{ columns | join(', ') }},
        count(*) as copies
    from {{ model }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns if column not in any_if_null %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}
