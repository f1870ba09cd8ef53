with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

customer_outages as (
    select * from {{ ref('fct_customer_outages') }}
),

supply_outages as (
    select * from {{ ref('fct_supply_outages') }}
),

matched_outages as (
    select * from {{ ref('fct_outages_matched') }}
    where supply_outage_id is not null
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

-- Each interruption with the customers it hits, on either side, for an account (one customer) and an organisation.
interruptions as (
    select
        'ACCOUNT' as entity_kind_code,
        account_no as entity_no,
        'CUSTOMER' as side_code,
        started_at,
        ended_at,
        1 as customers
    from customer_outages
    union all
    select 'ORGANISATION', accounts.org_no, 'CUSTOMER', outages.started_at, outages.ended_at, 1
    from customer_outages as outages
    inner join accounts on outages.account_no = accounts.account_no
    union all
    select 'ACCOUNT', account_no, 'SUPPLY', supply_started_at, supply_ended_at, 1
    from (
        select distinct account_no, supply_outage_id, supply_started_at, supply_ended_at
        from matched_outages
    ) as supply_by_account
    union all
    select 'ORGANISATION', org_no, 'SUPPLY', started_at, ended_at, customers_interrupted
    from supply_outages
    where org_no is not null
),

-- The denominator, and what a customer is on each side.
populations as (
    select distinct
        'ACCOUNT' as entity_kind_code,
        metering_points.account_no as entity_no,
        periods.side_code,
        periods.month_start_date,
        1 as customers,
        'this account as one customer' as nt_basis
    from periods
    inner join metering_points
        on
            metering_points.valid_from < (periods.period_end_at at time zone 'Asia/Shanghai')::date
            and (
                metering_points.valid_to is null
                or (periods.period_start_at at time zone 'Asia/Shanghai')::date < metering_points.valid_to
            )
    where metering_points.is_expected_to_report and metering_points.account_no is not null
),

organisation_populations as (
    select
        'ORGANISATION' as entity_kind_code,
        accounts.org_no as entity_no,
        populations.side_code,
        populations.month_start_date,
        count(*) as customers,
        'accounts with a billing point' as nt_basis
    from populations
    inner join accounts on populations.entity_no = accounts.account_no
    where populations.side_code = 'CUSTOMER'
    group by accounts.org_no, populations.side_code, populations.month_start_date
    union all
    select
        'ORGANISATION' as entity_kind_code,
        feeders.org_no as entity_no,
        'SUPPLY' as side_code,
        months.month_start_date,
        sum(feeders.customers_connected) as customers,
        'customers connected to the feeders: one medium-voltage customer or one public transformer is one' as nt_basis
    from months
    inner join feeders
        on
            feeders.valid_from <= months.report_date
            and (feeders.valid_to is null or months.report_date < feeders.valid_to)
    group by feeders.org_no, months.month_start_date
),

sustained as (
    select
        interruptions.entity_kind_code,
        interruptions.entity_no,
        interruptions.side_code,
        periods.month_start_date,
        interruptions.started_at >= periods.period_start_at as has_begun_in_period,
        interruptions.customers,
        interruptions.customers
        * {{ minutes_between(
            'greatest(interruptions.started_at, periods.period_start_at)',
            'least(interruptions.ended_at, periods.period_end_at)'
        ) }} as customer_minutes
    from interruptions
    inner join periods
        on
            interruptions.side_code = periods.side_code
            and interruptions.started_at < periods.period_end_at
            and periods.period_start_at < coalesce(interruptions.ended_at, 'infinity'::timestamptz)
    where
        {{ minutes_between(
            'interruptions.started_at',
            'coalesce(interruptions.ended_at, ' ~ day_start_at(business_date() ~ ' + 1') ~ ')'
        ) }}
        > {{ parameter('reliability_parameters', 'sustained_minutes') }}
),

-- Denominators and interruptions are stacked and added up: an entity without an interruption has a rate as well.
stacked as (
    select
        entity_kind_code,
        entity_no,
        side_code,
        month_start_date,
        customers as population,
        nt_basis,
        0 as interruptions,
        0 as customer_interruptions,
        0 as customer_minutes
    from (
        select * from populations
        union all
        select * from organisation_populations
    ) as all_populations
    union all
    select
        entity_kind_code,
        entity_no,
        side_code,
        month_start_date,
        null as population,
        null as nt_basis,
        case when has_begun_in_period then 1 else 0 end as interruptions,
        case when has_begun_in_period then customers else 0 end as customer_interruptions,
        customer_minutes
    from sustained
),

final as (
    select
        stacked.entity_kind_code,
        stacked.entity_no,
        stacked.side_code,
        stacked.month_start_date,
        max(stacked.population)::integer as customers,
        max(stacked.nt_basis) as nt_basis,
        max({{ minutes_between('periods.period_start_at', 'periods.period_end_at') }} / 60)::numeric(12, 4) as period_hours,
        sum(stacked.interruptions)::integer as interruptions,
        sum(stacked.customer_interruptions)::integer as customer_interruptions,
        sum(stacked.customer_minutes)::numeric(20, 8) as customer_minutes
    from stacked
    inner join periods
        on stacked.side_code = periods.side_code and stacked.month_start_date = periods.month_start_date
    group by stacked.entity_kind_code, stacked.entity_no, stacked.side_code, stacked.month_start_date
    having max(stacked.population) > 0
)

select * from final
