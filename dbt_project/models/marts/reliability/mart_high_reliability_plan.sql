with paths as (
    select * from {{ ref('dim_supply_paths') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

security as (
    select * from {{ ref('dim_supply_security') }}
),

requirements as (
    select * from {{ ref('supply_requirements') }}
    where {{ is_in_period(business_date(), 'valid_from', 'valid_to') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

power_quality_days as (
    select * from {{ ref('fct_power_quality_daily') }}
),

customer_outages as (
    select * from {{ ref('fct_customer_outages') }}
),

path_losses as (
    select * from {{ ref('fct_path_losses') }}
),

energy_not_supplied as (
    select * from {{ ref('int_energy_not_supplied') }}
),

year_to_date as (
    select
        {{ business_date() }} as last_date,
        ({{ business_date() }} - interval '12 months')::date as before_date
),

dips as (
    select
        metering_points.account_no,
        metering_points.feeder_no,
        sum(power_quality_days.dip_events)::integer as dip_events_12m
    from power_quality_days
    cross join year_to_date
    inner join metering_points
        on
            power_quality_days.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'power_quality_days.reading_date') }}
    where
        power_quality_days.reading_date > year_to_date.before_date
        and power_quality_days.reading_date <= year_to_date.last_date
        and metering_points.role_code = 'BILLING'
    group by metering_points.account_no, metering_points.feeder_no
),

outages as (
    select
        customer_outages.account_no,
        customer_outages.feeder_no,
        count(*)::integer as interruptions_12m,
        sum(energy_not_supplied.outage_hours) as outage_hours_12m,
        case
            when bool_and(energy_not_supplied.energy_not_supplied_kwh is not null)
                then sum(energy_not_supplied.energy_not_supplied_kwh)
        end as ens_kwh_12m
    from customer_outages
    cross join year_to_date
    left join energy_not_supplied on customer_outages.customer_outage_id = energy_not_supplied.customer_outage_id
    where
        customer_outages.started_date > year_to_date.before_date
        and customer_outages.started_date <= year_to_date.last_date
    group by customer_outages.account_no, customer_outages.feeder_no
),

lost_paths as (
    select
        path_losses.account_no,
        path_losses.feeder_no,
        count(*)::integer as path_losses_12m,
        sum({{ minutes_between(
            'path_losses.started_at', 'coalesce(path_losses.ended_at, ' ~ day_start_at(business_date() ~ ' + 1') ~ ')'
        ) }}) / 60 as path_lost_hours_12m
    from path_losses
    cross join year_to_date
    where
        path_losses.started_date > year_to_date.before_date
        and path_losses.started_date <= year_to_date.last_date
    group by path_losses.account_no, path_losses.feeder_no
),

judged as (
    select
        paths.*,
        year_to_date.last_date as as_of_date,
        accounts.org_no,
        accounts.importance_code,
        requirements.circuits_required,
        requirements.independent_sources_required,
        paths.security_load_kva * {{ parameter('reliability_parameters', 'self_generation_share') }}
            as self_gen_required_kva,
        security.sensitive_load_kva,
        security.ups_kva,
        security.outage_cost_cny,
        security.protection_checked_date,
        security.is_protection_setting_ok,
        coalesce(dips.dip_events_12m, 0) as dip_events_12m,
        coalesce(outages.interruptions_12m, 0) as interruptions_12m,
        coalesce(outages.outage_hours_12m, 0) as outage_hours_12m,
        coalesce(lost_paths.path_losses_12m, 0) as path_losses_12m,
        coalesce(lost_paths.path_lost_hours_12m, 0) as path_lost_hours_12m,
        case when outages.interruptions_12m is null then 0 else outages.ens_kwh_12m end as ens_kwh_12m
    from paths
    cross join year_to_date
    inner join accounts on paths.account_no = accounts.account_no
    left join requirements on accounts.importance_code = requirements.importance_code
    left join security on paths.account_no = security.account_no
    left join dips on paths.account_no = dips.account_no and paths.feeder_no = dips.feeder_no
    left join outages on paths.account_no = outages.account_no and paths.feeder_no = outages.feeder_no
    left join lost_paths on paths.account_no = lost_paths.account_no and paths.feeder_no = lost_paths.feeder_no
),

-- What is wanting, the more serious first; the plan begins with the first.
gaps as (
    select
        *,
        independent_sources < independent_sources_required as is_source_missing,
        circuits < circuits_required as is_circuit_missing,
        coalesce(self_gen_kva, 0) < coalesce(self_gen_required_kva, 0) as is_self_generation_short,
        coalesce(sensitive_load_kva, 0) > coalesce(ups_kva, 0) and dip_events_12m > 0 as is_sensitive_load_exposed
    from judged
),

measured as (
    select
        as_of_date,
        account_no,
        path_no,
        path_code,
        org_no,
        feeder_no,
        substation_name,
        supply_mode_code,
        interlock_code,
        importance_code,
        circuits,
        circuits_required,
        independent_sources as source_cnt_independent,
        independent_sources_required as source_cnt_required,
        self_gen_kva,
        security_load_kva,
        self_gen_required_kva::numeric(14, 2) as self_gen_required_kva,
        sensitive_load_kva,
        ups_kva,
        outage_cost_cny,
        is_protection_setting_ok as protection_setting_ok,
        protection_checked_date,
        dip_events_12m,
        interruptions_12m,
        outage_hours_12m::numeric(14, 6) as outage_hours_12m,
        path_losses_12m,
        path_lost_hours_12m::numeric(14, 6) as path_lost_hours_12m,
        ens_kwh_12m::numeric(18, 4) as ens_kwh_12m,
        coalesce(is_source_missing or is_circuit_missing or is_self_generation_short, false) as gap_flag,
        nullif(concat_ws(
            ', ',
            case when is_source_missing then 'SOURCE' end,
            case when is_circuit_missing then 'CIRCUIT' end,
            case when is_self_generation_short then 'SELF_GENERATION' end
        ), '') as gap_codes,
        case
            when is_source_missing then 'ADD_SOURCE'
            when is_circuit_missing then 'ADD_CIRCUIT'
            when is_self_generation_short then 'ADD_SELF_GENERATION'
            when is_protection_setting_ok = false then 'REVIEW_PROTECTION'
            when is_sensitive_load_exposed then 'PROTECT_SENSITIVE_LOAD'
            else 'KEEP'
        end as plan_code
    from gaps
),

final as ({{ partial_rows('measured') }})

select * from final
