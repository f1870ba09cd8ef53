{#- The versions of a key follow each other from the first one on: each ends on the day on which the next begins. -#}
{% test versions_follow_each_other(model, columns) %}
    select *
    from (
        select
            {{ columns | join(', ') }},
            valid_from,
            valid_to,
            lead(valid_from) over (partition by {{ columns | join(', ') }} order by valid_from) as next_valid_from
        from {{ model }}
    ) as versions
    where
        valid_from is null
        or valid_to <= valid_from
        or next_valid_from is distinct from case when next_valid_from is not null then valid_to end
{% endtest %}
