{#- Whether the profile leaves a contract table out (KAW_PROFILE): it is empty, and what else is known must do. -#}
{% macro is_left_out(table_name) -%}
    {{ return(table_name in var('left_out', [])) }}
{%- endmacro %}

{#-
  The metering points of the marketing system. Where that archive is left out: every point that metering knows, from its first
  day on, each a billing point of the account that metering says, else an account of its own.
-#}
{% macro marketing_points() -%}
    {%- if is_left_out('mkt_mp') %}
    select
        known.metering_point_no,
        known.valid_from,
        null::date as valid_to,
        coalesce(known.account_no, known.metering_point_no) as account_no,
        'BILLING'::text as role_code,
        null::text as parent_metering_point_no,
        null::text as split_method_code,
        null::text as metering_side_code,
        null::text as voltage_level_code,
        null::text as feeder_no,
        null::text as transformer_area_no,
        null::bigint as _raw_id
    from (
        select
            metering_point_no,
            min(first_date) as valid_from,
            max(account_no) as account_no
        from (
            select
                metering_point_no,
                reading_date as first_date,
                null::text as account_no
            from {{ ref('int_curves_latest') }}
            union all
            select
                metering_point_no,
                (installed_at at time zone 'Asia/Shanghai')::date,
                account_no
            from {{ ref('stg_metering__measuring_points') }}
        ) as seen
        where metering_point_no is not null
        group by metering_point_no
    ) as known
    where known.valid_from is not null
    {%- else %}
    select * from {{ ref('stg_marketing__metering_points') }}
    {%- endif %}
{%- endmacro %}

{#- The accounts that are known where the customer archive is left out: those of the metering points, without any of its facts. -#}
{% macro accounts_of_points() -%}
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
{%- endmacro %}
