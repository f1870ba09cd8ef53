{%- set stages_shown = {
    'VERIFY': 't_verify', 'SCHEME': 't_scheme', 'DESIGN_REVIEW': 't_design_review', 'MID_CHECK': 't_mid_check',
    'BUILD': 't_build_done', 'FINAL_CHECK': 't_final_check', 'AGREEMENT': 't_agreement_stage', 'METER_ENERGISE': 't_energised'
} -%}
with months as (
    select * from {{ ref('dim_months') }}
),

applications as (
    select * from {{ ref('fct_applications') }}
),

stages as (
    select * from {{ ref('fct_application_stages') }}
),

clocks as (
    select * from {{ ref('service_clocks') }}
    where subject_code = 'APPLICATION'
),

contracts as (
    select * from {{ ref('dim_contracts') }}
),

amendments as (
    select * from {{ ref('fct_contract_amendments') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

answers as (
    select * from {{ ref('fct_survey_answers') }}
    where application_no is not null
),

touches as (
    select * from {{ ref('fct_manager_touches') }}
    where case_kind_code = 'APPLICATION'
),

-- A stage that was entered again counts as reached when it last ended. The clock runs to the meter; archiving comes after it.
reached as (
    select
        application_no,
        {%- for stage, column in stages_shown.items() %}
        max(ended_at) filter (where stage_code = '{{ stage }}') as {{ column }},
        {%- endfor %}
        max(ended_at) as last_ended_at,
        (array_agg(stage_code order by stage_seq desc))[1] as last_stage_code,
        count(*)::integer as stages,
        max(read_date) filter (where stage_code <> 'ARCHIVE') as read_date,
        sum(utility_working_days) filter (where stage_code <> 'ARCHIVE') as utility_working_days,
        sum(customer_working_days) as customer_working_days,
        sum(suspended_working_days) filter (where stage_code <> 'ARCHIVE') as suspended_working_days,
        coalesce(sum(handover_working_days) filter (where clock_owner_code = 'CUSTOMER'), 0) as customer_handover_days,
        sum(wait_working_hours) filter (where stage_code <> 'ARCHIVE') as wait_working_hours
    from stages
    group by application_no
),

tracked as (
    select
        case_no as application_no,
        count(distinct stage_seq)::integer as tracked_stages
    from touches
    where stage_seq is not null
    group by case_no
),

answered as (
    select
        application_no,
        avg(score_pct) as satisfaction_pct
    from answers
    group by application_no
),

-- An amendment names its application; a contract is that of the application during which it was first signed.
agreements as (
    select
        application_no,
        signed_date
    from amendments
    union all
    select
        applications.application_no,
        contracts.signed_date
    from applications
    inner join reached on applications.application_no = reached.application_no
    inner join contracts
        on
            applications.account_no = contracts.account_no
            and applications.accepted_date <= contracts.signed_date
            and contracts.signed_date <= coalesce(
                (reached.t_energised at time zone 'Asia/Shanghai')::date, {{ business_date() }}
            )
),

signed as (
    select
        application_no,
        min(signed_date) as signed_date
    from agreements
    where application_no is not null
    group by application_no
),

timed as (
    select
        applications.*,
        {%- for column in stages_shown.values() %}
        reached.{{ column }},
        {%- endfor %}
        reached.last_stage_code,
        reached.stages,
        reached.utility_working_days,
        reached.customer_working_days,
        reached.suspended_working_days,
        reached.customer_working_days + reached.suspended_working_days + reached.customer_handover_days as customers_days,
        reached.wait_working_hours,
        case
            when applications.status_code = 'OPEN' then {{ business_date() }}
            else (reached.last_ended_at at time zone 'Asia/Shanghai')::date
        end as shown_date,
        read_on.working_day_no - accepted_on.working_day_no as total_working_days
    from applications
    inner join reached on applications.application_no = reached.application_no
    left join dates as accepted_on on applications.accepted_date = accepted_on.calendar_date
    left join dates as read_on on reached.read_date = read_on.calendar_date
),

measured as (
    select
        timed.application_no,
        timed.account_no,
        timed.org_no,
        timed.application_type_code,
        timed.process_code,
        timed.voltage_class_code,
        timed.supply_mode_code,
        timed.applied_capacity_kva,
        timed.channel_code,
        timed.access_mode_code,
        timed.status_code,
        months.month_start_date as shown_month,
        timed.last_stage_code,
        timed.accepted_at as t_apply,
        timed.t_verify,
        timed.t_scheme,
        timed.t_design_review,
        timed.t_mid_check,
        timed.t_build_done,
        timed.t_final_check,
        coalesce(signed.signed_date, (timed.t_agreement_stage at time zone 'Asia/Shanghai')::date) as t_agreement,
        signed.signed_date is not null as is_agreement_of_contract,
        timed.t_energised,
        timed.total_working_days,
        timed.utility_working_days::numeric(12, 4) as utility_working_days,
        timed.customer_working_days::numeric(12, 4) as customer_working_days,
        timed.suspended_working_days::numeric(12, 4) as suspended_working_days,
        (timed.total_working_days - timed.utility_working_days - timed.customer_working_days - timed.suspended_working_days)
            ::numeric(12, 4) as handover_working_days,
        (timed.total_working_days - timed.customers_days)::numeric(12, 4) as customer_clock_working_days,
        timed.wait_working_hours::numeric(12, 4) as wait_working_hours,
        clocks.clock_code as sla_code,
        clocks.target_value as sla_target_working_days,
        case
            when timed.status_code = 'CANCELLED' then null
            when timed.utility_working_days > clocks.target_value then false
            when timed.t_energised is not null and clocks.target_value is not null then true
        end as sla_met,
        case
            when timed.status_code = 'CANCELLED' then null
            when timed.total_working_days - timed.customers_days > clocks.target_value then false
            when timed.t_energised is not null and clocks.target_value is not null then true
        end as is_customer_clock_met,
        answered.satisfaction_pct::numeric(7, 4) as satisfaction_pct,
        timed.stages,
        coalesce(tracked.tracked_stages, 0) as tracked_stages,
        (coalesce(tracked.tracked_stages, 0)::numeric / timed.stages)::numeric(8, 6) as tracking_coverage
    from timed
    inner join months on months.month_start_date <= timed.shown_date and timed.shown_date < months.known_until_date
    left join signed on timed.application_no = signed.application_no
    left join answered on timed.application_no = answered.application_no
    left join tracked on timed.application_no = tracked.application_no
    left join clocks
        on
            clocks.process_code = timed.process_code
            and clocks.voltage_class_code = timed.voltage_class_code
            and clocks.supply_class_code in ('ANY', timed.supply_class_code)
            and {{ is_valid_on('clocks', 'timed.accepted_date') }}
),

final as ({{ partial_rows('measured') }})

select * from final
