{%- set entries = catalog_entries() -%}
with areas as (
    select areas.*
    from {{ ref('catalog_areas') }} as areas
    where {{ is_valid_on('areas', business_date()) }}
),

findings as (
    select * from {{ ref('fct_findings') }}
),

-- Rows of a contract table that count on D.
source_counts as (
    select
        staged.table_name,
        staged.rows as row_cnt
    from {{ source('quality', 'staged_rows') }} as staged
    inner join {{ source('quality', 'current_run') }} as current_run on staged.run_id = current_run.run_id
),

published_counts as (
    {%- for table in published_tables() %}
    select '{{ published_name(table) }}' as table_name, count(*) as row_cnt from {{ ref(table) }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

entries as (
    select *
    from jsonb_to_recordset('{{ tojson(entries, sort_keys=true) | replace("'", "''") }}'::jsonb) as entry (  -- noqa: aliasing.unused
        name text, kind text, area text, description text, sources text[], readers text[]
    )
),

found as (
    select
        entries.name as table_name,
        count(*) as open_findings,
        max(
            case findings.severity_code when 'block' then 3 when 'quarantine' then 2 else 1 end
        ) as worst
    from entries
    inner join findings on findings.table_name = any(entries.sources) and findings.status_code = 'OPEN'
    group by entries.name
),

measured as (
    select
        {{ business_date() }} as as_of_date,
        entries.name as table_name,
        entries.kind as kind_code,
        entries.area as area_code,
        regexp_replace(btrim(entries.description), '\s+', ' ', 'g') as description,
        areas.owner_name,
        areas.refresh_hours,
        coalesce(published_counts.row_cnt, source_counts.row_cnt, 0)::bigint as row_cnt,
        cardinality(entries.sources) as source_table_cnt,
        coalesce(found.open_findings, 0)::integer as open_findings,
        case coalesce(found.worst, 0) when 0 then 'PASSED' when 1 then 'WARN' when 2 then 'QUARANTINE' else 'BLOCK' end
            as dq_status_code,
        array_to_string(entries.readers, ', ') as readers
    from entries
    left join areas on entries.area = areas.area_code
    left join published_counts on entries.name = published_counts.table_name
    left join source_counts on entries.name = source_counts.table_name
    left join found on entries.name = found.table_name
),

final as ({{ partial_rows('measured') }})

select * from final
