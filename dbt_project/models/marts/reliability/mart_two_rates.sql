with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

reliability as (
    select * from {{ ref('int_reliability_monthly') }}
    where standard_code = 'DL/T 836'
),

ieee_1366 as (
    select * from {{ ref('int_reliability_monthly') }}
    where standard_code = 'IEEE 1366'
),

yearly as (
    select * from {{ ref('int_interruptions_yearly') }}
),

major_event_days as (
    select * from {{ ref('int_major_event_days') }}
),

voltage as (
    select * from {{ ref('int_voltage_monthly') }}
),

power_quality_days as (
    select * from {{ ref('fct_power_quality_daily') }}
    where is_counted_in_account and account_no is not null
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_expected and account_no is not null
),

-- Figures of an account, to be told for itself and for its organisation.
account_figures as (
    select
        account_no,
        'CUSTOMER' as side_code,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        expected_slots,
        valid_slots,
        null::numeric as unbalance_pct,
        null::boolean as is_often_interrupted,
        null::boolean as is_long_interrupted_once,
        null::boolean as is_long_interrupted_in_all
    from energy_days
    union all
    select
        account_no, 'CUSTOMER', date_trunc('month', reading_date::timestamp)::date, null, null, unbalance_95_pct, null, null, null
    from power_quality_days
    union all
    select
        account_no, side_code, month_start_date, null, null, null,
        is_often_interrupted, is_long_interrupted_once, is_long_interrupted_in_all
    from yearly
),

figures as (
    select
        entities.entity_kind_code,
        entities.entity_no,
        account_figures.side_code,
        account_figures.month_start_date,
        {{ ratio('100 * sum(account_figures.valid_slots)', 'sum(account_figures.expected_slots)') }} as coverage_pct,
        max(account_figures.unbalance_pct) as unbalance_pct,
        avg(account_figures.is_often_interrupted::integer) as cemi_share,
        avg(account_figures.is_long_interrupted_once::integer) as celid_single_share,
        avg(account_figures.is_long_interrupted_in_all::integer) as celid_total_share
    from account_figures
    left join accounts on account_figures.account_no = accounts.account_no
    cross join lateral (
        values ('ACCOUNT', account_figures.account_no), ('ORGANISATION', accounts.org_no)
    ) as entities (entity_kind_code, entity_no)
    where entities.entity_no is not null
    group by
        entities.entity_kind_code,
        entities.entity_no,
        account_figures.side_code,
        account_figures.month_start_date
),

-- The threshold holds for a reporting year: without one no day of it can be told from another, and that is said.
major_events as (
    select
        'ORGANISATION' as entity_kind_code,
        major_event_days.org_no as entity_no,
        'SUPPLY' as side_code,
        months.month_start_date,
        min(major_event_days.basis) filter (where major_event_days.is_major_event_day is null) as reason_unknown,
        count(*) filter (
            where
            major_event_days.is_major_event_day
            and months.month_start_date <= major_event_days.event_date
            and major_event_days.event_date < months.next_month_start_date
        ) as days
    from major_event_days
    inner join months
        on date_trunc('year', major_event_days.event_date::timestamp) = date_trunc('year', months.month_start_date::timestamp)
    group by major_event_days.org_no, months.month_start_date
),

computed as (
    select
        entity_kind_code,
        entity_no,
        months.month_start_date,
        side_code,
        case when entity_kind_code = 'ACCOUNT' then entity_no end as account_no,
        case when entity_kind_code = 'ACCOUNT' then accounts.org_no else entity_no end as org_no,
        voltage.voltage_ok_pct,
        voltage.class_a_pct as voltage_class_a_pct,
        voltage.class_b_pct as voltage_class_b_pct,
        voltage.class_c_pct as voltage_class_c_pct,
        voltage.class_d_pct as voltage_class_d_pct,
        voltage.monitored_minutes as voltage_monitored_minutes,
        voltage.over_minutes as voltage_over_minutes,
        voltage.under_minutes as voltage_under_minutes,
        voltage.valid_slots as valid_points,
        voltage.outage_slots as outage_points,
        voltage.missing_slots as missing_points,
        figures.coverage_pct::numeric(9, 6) as coverage_pct,
        figures.unbalance_pct::numeric(9, 4) as voltage_unbalance_pct,
        {%- for column_name, left_out in [
            ('rs_pct', '0'), ('rs_2_pct', 'reliability.external_minutes'), ('rs_3_pct', 'reliability.load_shedding_minutes')
        ] %}
        {{ reliability_pct('(reliability.customer_minutes - ' ~ left_out ~ ')', 'reliability.customers', 'reliability.period_hours') }}
            ::numeric(12, 8) as {{ column_name }},
        {%- endfor %}
        {{ ratio('reliability.customer_minutes', '60 * reliability.customers') }}::numeric(16, 8) as aihc_h,
        {{ ratio('reliability.prearranged_minutes', '60 * reliability.customers') }}::numeric(16, 8) as aihc_prearranged_h,
        {{ ratio('reliability.fault_minutes', '60 * reliability.customers') }}::numeric(16, 8) as aihc_fault_h,
        {{ ratio('reliability.customer_interruptions', 'reliability.customers') }}::numeric(14, 8) as aitc,
        {{ ratio('reliability.prearranged_interruptions', 'reliability.customers') }}::numeric(14, 8) as aitc_prearranged,
        {{ ratio('reliability.fault_interruptions', 'reliability.customers') }}::numeric(14, 8) as aitc_fault,
        {{ ratio('ieee_1366.customer_interruptions', 'ieee_1366.customers') }}::numeric(14, 8) as saifi,
        {{ ratio('ieee_1366.customer_minutes', 'ieee_1366.customers') }}::numeric(18, 6) as saidi_min,
        {{ ratio('ieee_1366.customer_minutes', 'ieee_1366.customer_interruptions') }}::numeric(18, 6) as caidi_min,
        (1 - {{ ratio('ieee_1366.customer_minutes', '60 * ieee_1366.customers * ieee_1366.period_hours') }})::numeric(12, 10)
            as asai,
        {{ ratio('ieee_1366.customer_interruptions', 'ieee_1366.interrupted_customers') }}::numeric(14, 8) as caifi,
        {{ ratio('ieee_1366.customer_minutes', 'ieee_1366.interrupted_customers') }}::numeric(18, 6) as ctaidi_min,
        {{ ratio('ieee_1366.momentary_interruptions', 'ieee_1366.customers') }}::numeric(14, 8) as maifi,
        {{ ratio('ieee_1366.momentary_events', 'ieee_1366.customers') }}::numeric(14, 8) as maifi_e,
        {{ ratio('ieee_1366.kva_interrupted', 'ieee_1366.connected_kva') }}::numeric(14, 8) as asifi,
        {{ ratio('ieee_1366.kva_minutes', 'ieee_1366.connected_kva') }}::numeric(18, 6) as asidi_min,
        figures.cemi_share::numeric(10, 8) as cemi_share,
        figures.celid_single_share::numeric(10, 8) as celid_single_share,
        figures.celid_total_share::numeric(10, 8) as celid_total_share,
        case
            when entity_kind_code = 'ORGANISATION' and side_code = 'SUPPLY'
                then coalesce(major_events.reason_unknown, coalesce(major_events.days, 0)::text)
        end as major_event_days,
        reliability.interruptions,
        reliability.customer_interruptions,
        reliability.customer_minutes::numeric(20, 6) as customer_minutes,
        reliability.customers as nt,
        reliability.nt_basis,
        reliability.period_hours,
        {{ parameter('reliability_parameters', 'sustained_minutes', on='months.report_date') }}::numeric(8, 2)
            as sustained_minutes,
        {{ parameter('reliability_parameters', 'sustained_minutes_ieee_1366', on='months.report_date') }}::numeric(8, 2)
            as sustained_minutes_ieee_1366
    from reliability
    full outer join ieee_1366 using (entity_kind_code, entity_no, side_code, month_start_date)
    full outer join voltage using (entity_kind_code, entity_no, side_code, month_start_date)
    inner join months using (month_start_date)
    left join figures using (entity_kind_code, entity_no, side_code, month_start_date)
    left join major_events using (entity_kind_code, entity_no, side_code, month_start_date)
    left join accounts on entity_kind_code = 'ACCOUNT' and entity_no = accounts.account_no
),

measured as (
    select
        computed.*,
        {%- for name, rate in [('rs', 'rs_pct'), ('voltage', 'voltage_ok_pct')] %}
        targets.{{ name }}_target_pct,
        targets.{{ name }}_target_basis_code,
        (computed.{{ rate }} - targets.{{ name }}_target_pct)::numeric(12, 8) as {{ name }}_target_distance,
        computed.{{ rate }} >= targets.{{ name }}_target_pct as is_{{ name }}_target_met{{ ',' if not loop.last }}
        {%- endfor %}
    from computed
    left join {{ ref('int_rate_targets_monthly') }} as targets using (entity_kind_code, entity_no, month_start_date)
),

final as ({{ partial_rows('measured') }})

select * from final
