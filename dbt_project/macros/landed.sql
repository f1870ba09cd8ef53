{#- Where a row of the raw log stands among the versions of its key: by date of file or extract, then by load. -#}
{% macro version_order(rows) -%}
    quality.version_order({{ rows }}._business_date, {{ rows }}._load_id)
{%- endmacro %}

{#-
  The rows of a raw table with null for each value that is withheld: what the gate reads is as delivered, what is admitted
  after it has only what is trusted.
-#}
{% macro trusted_rows(source_name, table_name, touched_only=false) %}
    (
        select raw.*
        from {{ source('raw_' ~ source_name, table_name) }} as raw
        where not exists (
            select 1
            from {{ source('quality', 'withheld_values') }} as withheld
            cross join {{ source('quality', 'current_run') }} as current_run
            where
                withheld.table_name = '{{ table_name }}'
                and withheld.raw_id = raw._raw_id
                and withheld.released_run is null
                and current_run.phase = 'admit'
        )
        {{ 'and raw._key in (select touched._key from pg_temp.touched_keys as touched)' if touched_only }}
        union all
        select trusted.*
        from {{ source('raw_' ~ source_name, table_name) }} as raw
        inner join (
            select
                withheld.raw_id,
                jsonb_object_agg(withheld.column_name, null) as nulls
            from {{ source('quality', 'withheld_values') }} as withheld
            cross join {{ source('quality', 'current_run') }} as current_run
            where
                withheld.table_name = '{{ table_name }}'
                and withheld.released_run is null
                and current_run.phase = 'admit'
            group by withheld.raw_id
        ) as withheld on raw._raw_id = withheld.raw_id
        cross join lateral jsonb_populate_record(raw, withheld.nulls) as trusted
        {{ 'where raw._key in (select touched._key from pg_temp.touched_keys as touched)' if touched_only }}
    )
{%- endmacro %}

{#-
  The rows of a raw table that count on the business date: the newest version of each key, without withdrawn keys.
  All copies are kept where one delivery holds several rows of a key, so that the key rule can name them.
  In the phase `gate` every version counts, quarantined or not, so that a fix is seen. In the phase `admit` quarantined
  and blocked rows are left out, and a key falls back to its latest version that an earlier gate admitted.
-#}
{% macro newest_landed(source_name, table_name) %}
    {%- set touched_only = build_mode() == 'touched' %}
    with versions as (
        select
            raw.*,
            {{ version_order('raw') }} as _version,
            max({{ version_order('raw') }}) over (partition by raw._key) as _newest_version
        from {{ trusted_rows(source_name, table_name, touched_only) }} as raw
        where raw._business_date <= {{ business_date() }}
    ),

    eligible as (
        select
            versions.*,
            max(versions._version) over (partition by versions._key) as _chosen_version
        from versions
        cross join {{ source('quality', 'current_run') }} as current_run
        where
            current_run.phase = 'gate'
            or (
                (versions._version = versions._newest_version or versions._load_id <= current_run.last_passed_load_id)
                and not exists (
                    select 1
                    from {{ source('quality', 'quarantined_rows') }} as quarantined
                    where
                        quarantined.table_name = '{{ table_name }}'
                        and quarantined.raw_id = versions._raw_id
                        and quarantined.released_run is null
                )
            )
    )

    select *
    from eligible
    where _version = _chosen_version and not _is_tombstone
{% endmacro %}

{#-
  What each day knew of an in-place table, whose source keeps no earlier values: the newest row of a key delivered for a day,
  from that day (`_business_date`) to the next day that knew otherwise (`next_business_date`). Quarantined rows were never
  known. A row that says what the one before it said begins nothing: a late delivery may have said it since, for an earlier day.
-#}
{% macro versions_by_receipt(source_name, table_name) %}
    select
        told.*,
        lead(told._business_date) over (partition by told._key order by told._business_date) as next_business_date
    from (
        select
            known.*,
            lag(known._hash) over (partition by known._key order by known._business_date) as _hash_before
        from (
            select distinct on (raw._key, raw._business_date) raw.*
            from {{ trusted_rows(source_name, table_name) }} as raw
            left join {{ source('quality', 'quarantined_rows') }} as quarantined
                on
                    raw._raw_id = quarantined.raw_id
                    and quarantined.table_name = '{{ table_name }}'
                    and quarantined.released_run is null
            where raw._business_date <= {{ business_date() }} and quarantined.raw_id is null
            order by raw._key, raw._business_date, {{ version_order('raw') }} desc, raw._raw_id desc
        ) as known
    ) as told
    where told._hash is distinct from told._hash_before
{% endmacro %}

{#-
  The rows of a raw table, each with the load that began its state and with what some columns were before it: `<column>_before`.
  A row that says what the version before it said begins none. So these follow from what the deliveries of each date said, in
  whatever order they landed: a delivery that came after a later one may have made that say it again.
-#}
{% macro states_landed(source_name, table_name, before=[]) %}
    select
        numbered._raw_id,
        {%- for column in before %}
        numbered.{{ column }},
        first_value(numbered.{{ column }}_before) over state as {{ column }}_before,
        {%- endfor %}
        first_value(numbered._load_id) over state as state_load_id
    from (
        select
            told.*,
            count(*) filter (where told._hash is distinct from told._hash_before) over (
                partition by told._key order by told._version, told._raw_id
            ) as _state_no
        from (
            select
                raw._raw_id,
                raw._key,
                raw._load_id,
                raw._hash,
                {{ version_order('raw') }} as _version,
                {%- for column in before %}
                raw.{{ column }},
                lag(raw.{{ column }}) over by_version as {{ column }}_before,
                {%- endfor %}
                lag(raw._hash) over by_version as _hash_before
            from {{ source('raw_' ~ source_name, table_name) }} as raw
            window by_version as (partition by raw._key order by {{ version_order('raw') }}, raw._raw_id)
        ) as told
    ) as numbered
    window state as (partition by numbered._key, numbered._state_no order by numbered._version, numbered._raw_id)
{% endmacro %}

{#- The day in the name of a file (the last one; 20260615 or 2026-06-15), as landing reads it; null where there is none. -#}
{% macro date_of_file(file_name) -%}
    (
        select case when extract(day from counted.day) = found.parts[3]::integer then counted.day end
        from (
            select
                regexp_match(
                    {{ file_name }}, '.*((?:19|20)[0-9]{2})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])[^/]*$'
                ) as parts
        ) as found
        cross join lateral (
            select make_date(found.parts[1]::integer, found.parts[2]::integer, 1) + (found.parts[3]::integer - 1) as day
        ) as counted
    )
{%- endmacro %}

{#- A staging model says which contract table it stages (`meta.stages`), and its raw table is built by touched keys. -#}
{% macro is_staging() -%}
    {{ return('stages' in config.get('meta', {})) }}
{%- endmacro %}

{% macro raw_table() -%}
    {%- set found = model.sources | selectattr(1, 'equalto', config.get('meta')['stages']) | first -%}
    {{ source(found[0], found[1]) }}
{%- endmacro %}
