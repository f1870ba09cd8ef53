{#- One row for each key of a relation, with one number or text of it: the least, or another aggregate; also under another name. -#}
{% macro one_each(relation, keys, column, pick='min', name=none, where=none) -%}
    (
        select {{ keys }}, {{ pick }}({{ column }}) as {{ name or column }}
        from {{ relation }}
        {{ 'where ' ~ where if where }}
        group by {{ keys }}
    )
{%- endmacro %}

{#- The newest row of each key of a relation: the one that came last, or before that the first in an order of its own. -#}
{% macro newest_each(relation, keys, first='', where=none) -%}
    (
        select distinct on ({{ keys }}) rows_of.*
        from {{ relation }} as rows_of
        {{ 'where ' ~ where if where }}
        order by {{ keys }}, {{ first ~ ', ' if first }}rows_of._raw_id desc
    )
{%- endmacro %}

{#- The newest signed amendment of each term of an account that took effect by a day; the day may differ by term. -#}
{% macro newest_amendments(amendments, contracts, day) -%}
    (
        select distinct on (contracts.account_no, amendments.field_name)
            contracts.account_no,
            amendments.*
        from {{ amendments }} as amendments
        inner join {{ contracts }} as contracts on amendments.contract_no = contracts.contract_no
        where amendments.signed_date is not null and amendments.effective_date <= {{ day }}
        order by contracts.account_no, amendments.field_name, amendments.effective_date desc, amendments.amendment_no desc
    )
{%- endmacro %}

{#- Rows that share a day with another row of their owner, and a note of the least of these; `same` makes the owner. -#}
{% macro overlapping(relation, same, other, note, first_day='valid_from', end_day='valid_to') -%}
    (
        select one._raw_id, min({{ note }}) as other_note
        from {{ relation }} as one
        inner join {{ relation }} as other
            on
                one.{{ same }} = other.{{ same }}
                and one.{{ other }} <> other.{{ other }}
                and {{ are_valid_together('one', 'other', first_day, end_day) }}
        group by one._raw_id
    )
{%- endmacro %}

{#- Values that accounts share, with the number of accounts and of payers; `payers` tell which accounts belong together. -#}
{% macro shared_values(relation, column) -%}
    (
        select
            btrim(owners.{{ column }}) as shared_value,
            count(distinct owners.account_no) as customers,
            count(distinct coalesce(payers.payer_name, owners.account_no)) as payers
        from {{ relation }} as owners
        left join {{ one_each('staging.stg_marketing__settlement_accounts', 'account_no', 'payer_name') }} as payers
            on owners.account_no = payers.account_no
        where nullif(btrim(owners.{{ column }}), '') is not null
        group by btrim(owners.{{ column }})
    )
{%- endmacro %}

{#- Numbers that only one of two lists names, or both: what is expected in a mart, and what it lists on the business date. -#}
{% macro listed_on_both_sides(mart, number, expected) -%}
    select
        jsonb_build_object('mart', '{{ mart }}', '{{ number }}', coalesce(expected.{{ number }}, listed.{{ number }})) as record_key,
        expected.{{ number }} is not null as is_expected,
        listed.{{ number }} is not null as is_listed
    from (select distinct {{ number }} from {{ expected }}) as expected
    full outer join (select {{ number }} from candidate.{{ mart }} where as_of_date = :business_date) as listed
        on expected.{{ number }} = listed.{{ number }}
{%- endmacro %}

{#- What of `listed_on_both_sides` stands on one side alone, told as it is and as it should be. -#}
{% macro listed_on_one_side(listed, missing) -%}
    select
        record_key,
        case when is_listed then '{{ listed }}' else '{{ missing }}' end as observed,
        case when is_expected then '{{ listed }}' else '{{ missing }}' end as expected
    from tested
    where is_expected <> is_listed
{%- endmacro %}
