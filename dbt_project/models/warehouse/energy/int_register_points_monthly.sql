{%- set rates = ['sharp', 'peak', 'flat', 'valley', 'deep'] -%}
with registers as (
    select * from {{ ref('fct_registers_monthly') }}
    where is_counted_in_account and account_no is not null
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where is_counted_in_account and account_no is not null
),

months as (
    select
        month_start_date,
        {{ next_month('month_start_date') }} as next_month_start_date
    from registers
    union
    select
        month_start_date,
        next_month_start_date
    from {{ ref('dim_closed_months') }}
),

first_installed as (
    select
        metering_point_no,
        min(valid_from) as first_date
    from metering_points
    where meter_asset_no is not null
    group by metering_point_no
),

-- The days that registers have to cover: those on which the point measured for the account, from its first meter on.
wanted as (
    select
        metering_points.metering_point_no,
        metering_points.account_no,
        months.month_start_date,
        sum(
            least(metering_points.valid_to, months.next_month_start_date)
            - greatest(metering_points.valid_from, months.month_start_date, first_installed.first_date)
        ) as wanted_days
    from metering_points
    inner join first_installed on metering_points.metering_point_no = first_installed.metering_point_no
    inner join months
        on
            metering_points.valid_from < months.next_month_start_date
            and (metering_points.valid_to is null or months.month_start_date < metering_points.valid_to)
            and first_installed.first_date < least(metering_points.valid_to, months.next_month_start_date)
    group by metering_points.metering_point_no, metering_points.account_no, months.month_start_date
),

added as (
    select
        account_no,
        metering_point_no,
        energy_kind_code,
        month_start_date,
        sum(energy_kwh) as energy_kwh,
        {%- for rate in rates %}
        case when bool_and({{ rate }}_kwh is not null) then sum({{ rate }}_kwh) end as {{ rate }}_kwh,
        {%- endfor %}
        case when bool_and(max_demand_kw is not null) then max(max_demand_kw) end as max_demand_kw,
        coalesce(sum(to_date - from_date) filter (where energy_kwh is not null), 0) as covered_days
    from registers
    group by account_no, metering_point_no, energy_kind_code, month_start_date
),

-- Active energy is wanted of each point, another kind from the first month on in which the point told it.
kinds as (
    select
        metering_point_no,
        account_no,
        energy_kind_code,
        min(month_start_date) as first_month
    from registers
    group by metering_point_no, account_no, energy_kind_code
    union all
    select distinct
        metering_point_no,
        account_no,
        'ACTIVE' as energy_kind_code,
        '-infinity'::date as first_month
    from metering_points
),

wanted_kinds as (
    select
        wanted.account_no,
        wanted.metering_point_no,
        kinds.energy_kind_code,
        wanted.month_start_date,
        max(wanted.wanted_days) as wanted_days
    from wanted
    inner join kinds
        on
            wanted.metering_point_no = kinds.metering_point_no
            and wanted.account_no = kinds.account_no
            and kinds.first_month <= wanted.month_start_date
    group by wanted.account_no, wanted.metering_point_no, kinds.energy_kind_code, wanted.month_start_date
),

-- A month that its installations do not cover is partial, never a smaller number; so is one of which no register row came.
final as (
    select
        account_no,
        metering_point_no,
        energy_kind_code,
        month_start_date,
        covered.is_partial,
        case when not covered.is_partial then added.energy_kwh end as energy_kwh,
        {%- for rate in rates %}
        case when not covered.is_partial then added.{{ rate }}_kwh end as {{ rate }}_kwh,
        {%- endfor %}
        case when not covered.is_partial then added.max_demand_kw end as max_demand_kw,
        coalesce(added.covered_days, 0)::integer as covered_days,
        wanted_kinds.wanted_days::integer as wanted_days
    from wanted_kinds
    full outer join added using (account_no, metering_point_no, energy_kind_code, month_start_date)
    cross join lateral (
        select coalesce(coalesce(added.covered_days, 0) < wanted_kinds.wanted_days, true) as is_partial
    ) as covered
)

select * from final
