{#- Whether the profile leaves a contract table out (KAW_PROFILE): it is empty, and what else is known must do. -#}
{% macro is_left_out(table_name) -%}
    {{ return(table_name in var('left_out', [])) }}
{%- endmacro %}

{#- A count over a contract table; null where the profile leaves the table out: nothing was counted, which is not none. -#}
{% macro unless_left_out(table_name, count) -%}
    {{ 'null::integer' if is_left_out(table_name) else count }}
{%- endmacro %}

{#-
  The metering points of the marketing system. Where that archive is left out: every point that metering knows, from its first
  day on, as metering describes it; of what it does not say, a billing point and an account of its own.
-#}
{% macro marketing_points() -%}
    {%- if is_left_out('mkt_mp') %}
    select
        seen.metering_point_no,
        least(min(seen.first_date), min((described.installed_at at time zone 'Asia/Shanghai')::date)) as valid_from,
        max((described.removed_at at time zone 'Asia/Shanghai')::date) as valid_to,
        coalesce(max(described.account_no), seen.metering_point_no) as account_no,
        coalesce(max(described.role_code), 'BILLING') as role_code,
        max(described.parent_metering_point_no) as parent_metering_point_no,
        max(described.split_method_code) as split_method_code,
        max(described.metering_side_code) as metering_side_code,
        null::text as voltage_level_code,
        max(described.feeder_no) as feeder_no,
        max(described.transformer_area_no) as transformer_area_no,
        null::bigint as _raw_id
    from (
        select
            metering_point_no,
            min(reading_date) as first_date
        from {{ ref('int_curves_latest') }}
        group by metering_point_no
        union all
        select
            metering_point_no,
            null::date
        from {{ ref('stg_metering__measuring_points') }}
    ) as seen
    left join {{ ref('stg_metering__measuring_points') }} as described on seen.metering_point_no = described.metering_point_no
    where seen.metering_point_no is not null
    group by seen.metering_point_no
    having min(seen.first_date) is not null or min(described.installed_at) is not null
    {%- else %}
    select * from {{ ref('stg_marketing__metering_points') }}
    {%- endif %}
{%- endmacro %}

{#- Where the customer archive is left out, accounts are those of the metering points, without any of its facts. -#}
{% macro or_accounts_of_points() -%}
    {%- if is_left_out('mkt_customer') %}
    union all
    select
        account_no,
        min(valid_from) as valid_from,
        null::date as valid_to,
        null::text as org_no,
        null::text as industry_code,
        null::text as customer_class_code,
        null::text as voltage_level_code,
        null::text as importance_code,
        null::text as load_class_code,
        null::text as area_class_code,
        null::text as status_code,
        null::numeric as contract_capacity_kva,
        null::numeric as running_capacity_kva,
        min(valid_from) as open_date,
        null::date as connect_date,
        null::date as close_date,
        false as has_name,
        false as has_licence_no,
        false as has_address,
        null::bigint as _raw_id,
        null::bigint as _load_id
    from {{ ref('int_metering_points_as_of') }}
    where account_no is not null
    group by account_no
    {%- endif %}
{%- endmacro %}

{#-
  After a mart is built: measures that rest on a table that the profile leaves out are null, for a sum over nothing is not zero,
  and are listed as partial. So is a column that counts a left-out table (its meta.counts), whatever else its family still says.
  A mart of which no measure is left has no rows, and a row without its key (no organisation is known, say) is none.
-#}
{% macro state_what_is_not_delivered() -%}
    {%- set left_out = var('left_out', []) -%}
    {%- set meta = model.config.meta or {} -%}
    {%- set measures = (meta.partial or {}).measures or [] -%}
    {%- if not execute or not left_out -%}
        {{ return('') }}
    {%- endif -%}
    {%- for table_name in var('required_tables').get(model.name, []) if table_name in left_out -%}
        {{ return('delete from ' ~ this) }}
    {%- endfor -%}
    {%- set lacking = [] -%}
    {%- set groups = [] -%}
    {%- for measure in measures -%}
        {%- set absent = [] -%}
        {%- for family in measure.needs -%}
            {%- if var('essential_tables').get(family) in left_out %}{% do absent.append(family) %}{% endif -%}
        {%- endfor -%}
        {%- if absent %}{% do groups.append(measure) %}{% for column in measure.columns %}{% do lacking.append(column) %}{% endfor %}{% endif -%}
    {%- endfor -%}
    {%- if measures and groups | length == measures | length -%}
        {{ return('delete from ' ~ this) }}
    {%- endif -%}
    {%- for column in model.columns.values() -%}
        {%- for table_name in ((column.config or {}).meta or {}).counts or [] if table_name in left_out -%}
            {%- do lacking.append(column.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set keyless = [] -%}
    {%- for column in meta.grain or [] %}{% do keyless.append(column ~ ' is null') %}{% endfor -%}
    {%- set statements = [] -%}
    {%- if keyless %}{% do statements.append('delete from ' ~ this ~ ' where ' ~ keyless | join(' or ')) %}{% endif -%}
    {%- if lacking -%}
        {%- set listed = "'" ~ (lacking | unique | join("', '")) ~ "'" -%}
        {%- do statements.append(
            'update ' ~ this ~ ' set ' ~ (lacking | unique | join(' = null, ')) ~ ' = null'
            ~ (', is_partial = true' if 'is_partial' in model.columns else '')
            ~ (', partial_measures = (select array_agg(distinct listed.measure order by listed.measure)'
            ~ ' from unnest(partial_measures || array[' ~ listed ~ ']) as listed (measure))' if 'partial_measures' in model.columns else '')
        ) -%}
    {%- endif -%}
    {{ return(statements | join('; ')) }}
{%- endmacro %}
