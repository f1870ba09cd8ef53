with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

capacities as (
    select * from {{ ref('int_accounts_as_of_month') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

interruptions as (
    select * from {{ ref('fct_interruptions') }}
),

periods as (
    select
        month_start_date,
        'SUPPLY' as side_code,
        {{ day_start_at('month_start_date') }} as period_start_at,
        {{ day_start_at('known_until_date') }} as period_end_at
    from months
    union all
    select
        month_start_date,
        'CUSTOMER' as side_code,
        {{ day_start_at('collected_from_date') }} as period_start_at,
        {{ day_start_at('known_until_date') }} as period_end_at
    from months
    where has_collection
),

account_populations as (
    select distinct
        'ACCOUNT' as entity_kind_code,
        metering_points.account_no as entity_no,
        periods.side_code,
        periods.month_start_date,
        1 as customers,
        capacities.running_capacity_kva as connected_kva,
        'this account as one customer' as nt_basis
    from periods
    inner join metering_points
        on
            metering_points.valid_from < (periods.period_end_at at time zone 'Asia/Shanghai')::date
            and (
                metering_points.valid_to is null
                or (periods.period_start_at at time zone 'Asia/Shanghai')::date < metering_points.valid_to
            )
    left join capacities
        on metering_points.account_no = capacities.account_no and periods.month_start_date = capacities.month_start_date
    where metering_points.is_expected_to_report and metering_points.account_no is not null
),

-- The denominator, and what a customer is on each side.
populations as (
    select * from account_populations
    union all
    select
        'ORGANISATION' as entity_kind_code,
        accounts.org_no as entity_no,
        account_populations.side_code,
        account_populations.month_start_date,
        count(*) as customers,
        sum(account_populations.connected_kva) as connected_kva,
        'accounts with a billing point' as nt_basis
    from account_populations
    inner join accounts on account_populations.entity_no = accounts.account_no
    where account_populations.side_code = 'CUSTOMER'
    group by accounts.org_no, account_populations.side_code, account_populations.month_start_date
    union all
    select
        'ORGANISATION' as entity_kind_code,
        feeders.org_no as entity_no,
        'SUPPLY' as side_code,
        months.month_start_date,
        sum(feeders.customers_connected) as customers,
        sum(feeders.connected_kva) as connected_kva,
        'customers connected to the feeders: one medium-voltage customer or one public transformer is one' as nt_basis
    from months
    inner join feeders
        on
            {{ is_valid_on('feeders', 'months.report_date') }}
    group by feeders.org_no, months.month_start_date
),

-- The same interruptions under both standards, which differ in how long one must last to be sustained. A meter whose account has
-- no point in force, such as one that is withheld, is no customer of the month: its interruption is in no figure either.
counted as (
    select
        interruptions.*,
        periods.month_start_date,
        standards.standard_code,
        interruptions.started_at >= periods.period_start_at as has_begun,
        case standards.standard_code
            when 'DL/T 836' then interruptions.is_sustained_dlt_836
            else interruptions.is_sustained_ieee_1366
        end as is_sustained,
        {{ minutes_between(
            'greatest(interruptions.started_at, periods.period_start_at)',
            'least(interruptions.ended_at, periods.period_end_at)'
        ) }} as minutes
    from interruptions
    inner join periods
        on
            interruptions.side_code = periods.side_code
            and interruptions.started_at < periods.period_end_at
            and periods.period_start_at < coalesce(interruptions.ended_at, 'infinity'::timestamptz)
    cross join (values ('DL/T 836'), ('IEEE 1366')) as standards (standard_code)
    where
        interruptions.side_code = 'SUPPLY'
        or (interruptions.place_no, periods.month_start_date) in (
            select
                account_populations.entity_no,
                account_populations.month_start_date
            from account_populations
            where account_populations.side_code = 'CUSTOMER'
        )
),

added as (
    select
        entity_kind_code,
        entity_no,
        side_code,
        month_start_date,
        standard_code,
        count(*) filter (where has_begun and is_sustained) as interruptions,
        sum(customers) filter (where has_begun and is_sustained) as customer_interruptions,
        sum(customers) filter (where has_begun and is_sustained and is_prearranged) as prearranged_interruptions,
        sum(customers) filter (where has_begun and is_sustained and not is_prearranged) as fault_interruptions,
        sum(customers * minutes) filter (where is_sustained) as customer_minutes,
        sum(customers * minutes) filter (where is_sustained and is_prearranged) as prearranged_minutes,
        sum(customers * minutes) filter (where is_sustained and not is_prearranged) as fault_minutes,
        sum(customers * minutes) filter (where is_sustained and is_external) as external_minutes,
        sum(customers * minutes) filter (where is_sustained and is_load_shedding) as load_shedding_minutes,
        count(distinct place_no) filter (where is_sustained) as interrupted_places,
        sum(kva) filter (where has_begun and is_sustained) as kva_interrupted,
        sum(kva * minutes) filter (where is_sustained) as kva_minutes,
        bool_or(kva is null) filter (where is_sustained) as is_kva_unknown,
        sum(customers) filter (where has_begun and not is_sustained) as momentary_interruptions,
        sum(momentary_event_customers) filter (where has_begun) as momentary_events
    from counted
    group by entity_kind_code, entity_no, side_code, month_start_date, standard_code
),

-- Which customers a supply record means is not recorded, so how many different ones is unknown there for an organisation.
final as (
    select
        populations.entity_kind_code,
        populations.entity_no,
        populations.side_code,
        populations.month_start_date,
        standards.standard_code,
        populations.customers::integer as customers,
        populations.nt_basis,
        populations.connected_kva::numeric(16, 2) as connected_kva,
        ({{ minutes_between('periods.period_start_at', 'periods.period_end_at') }} / 60)::numeric(12, 4) as period_hours,
        {%- for measure in ['interruptions', 'customer_interruptions', 'prearranged_interruptions', 'fault_interruptions',
            'momentary_interruptions', 'momentary_events'] %}
        coalesce(added.{{ measure }}, 0)::integer as {{ measure }},
        {%- endfor %}
        {%- for measure in ['customer_minutes', 'prearranged_minutes', 'fault_minutes', 'external_minutes',
            'load_shedding_minutes'] %}
        coalesce(added.{{ measure }}, 0)::numeric(20, 8) as {{ measure }},
        {%- endfor %}
        case when added.is_kva_unknown is not true then coalesce(added.kva_interrupted, 0) end::numeric(20, 4)
            as kva_interrupted,
        case when added.is_kva_unknown is not true then coalesce(added.kva_minutes, 0) end::numeric(24, 8) as kva_minutes,
        case
            when populations.entity_kind_code = 'ACCOUNT' or populations.side_code = 'CUSTOMER'
                then coalesce(added.interrupted_places, 0)
        end::integer as interrupted_customers
    from populations
    inner join periods
        on populations.side_code = periods.side_code and populations.month_start_date = periods.month_start_date
    cross join (values ('DL/T 836'), ('IEEE 1366')) as standards (standard_code)
    left join added
        on
            populations.entity_kind_code = added.entity_kind_code
            and populations.entity_no = added.entity_no
            and populations.side_code = added.side_code
            and populations.month_start_date = added.month_start_date
            and standards.standard_code = added.standard_code
    where populations.customers > 0
)

select * from final
