with customer_outages as (
    select * from {{ ref('fct_customer_outages') }}
),

supply_outages as (
    select * from {{ ref('fct_supply_outages') }}
),

matches as (
    select * from {{ ref('fct_outages_matched') }}
    where match_code in ('MATCHED', 'SUPPLY_ONLY')
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

-- Capacity of the month; of months before the published ones that of today is all there is.
capacities as (
    select * from {{ ref('int_accounts_as_of_month') }}
),

-- A meter does not know why it lost supply: kind and cause come from the supply record that it was matched to.
seen_by_customers as (
    select
        customer_outages.account_no,
        accounts.org_no,
        customer_outages.customer_outage_id as outage_id,
        customer_outages.account_no as place_no,
        customer_outages.started_at,
        customer_outages.ended_at,
        supply_outages.kind_code,
        supply_outages.is_external,
        1 as customers,
        coalesce(capacities.running_capacity_kva, accounts.running_capacity_kva) as kva
    from customer_outages
    left join accounts on customer_outages.account_no = accounts.account_no
    left join capacities
        on
            customer_outages.account_no = capacities.account_no
            and {{ month_of(local_date('customer_outages.started_at')) }} = capacities.month_start_date
    left join matches on customer_outages.customer_outage_id = matches.customer_outage_id
    left join supply_outages on matches.supply_outage_id = supply_outages.supply_outage_id
),

-- What the record means for an account is the time in which it had no other path.
recorded_for_accounts as (
    select distinct on (matches.account_no, matches.supply_outage_id, matches.supply_started_at)
        matches.account_no,
        supply_outages.supply_outage_id as outage_id,
        matches.account_no as place_no,
        matches.supply_started_at as started_at,
        matches.supply_ended_at as ended_at,
        supply_outages.kind_code,
        supply_outages.is_external,
        1 as customers,
        coalesce(capacities.running_capacity_kva, accounts.running_capacity_kva) as kva
    from matches
    inner join supply_outages on matches.supply_outage_id = supply_outages.supply_outage_id
    left join accounts on matches.account_no = accounts.account_no
    left join capacities
        on
            matches.account_no = capacities.account_no
            and {{ month_of(local_date('matches.supply_started_at')) }} = capacities.month_start_date
    order by matches.account_no, matches.supply_outage_id, matches.supply_started_at
),

-- Each interruption with the customers it hits, on either side, for an account (one customer) and an organisation.
stacked as (
    select
        'ACCOUNT' as entity_kind_code, account_no as entity_no, 'CUSTOMER' as side_code,
        outage_id, place_no, started_at, ended_at, kind_code, is_external, customers, kva
    from seen_by_customers
    union all
    select
        'ORGANISATION', org_no, 'CUSTOMER', outage_id, place_no, started_at, ended_at, kind_code, is_external, customers, kva
    from seen_by_customers
    union all
    select
        'ACCOUNT', account_no, 'SUPPLY', outage_id, place_no, started_at, ended_at, kind_code, is_external, customers, kva
    from recorded_for_accounts
    union all
    select
        'ORGANISATION', org_no, 'SUPPLY', supply_outage_id, feeder_no, started_at, ended_at, kind_code, is_external,
        customers_interrupted, interrupted_kva
    from supply_outages
),

timed as (
    select
        *,
        (started_at at time zone 'Asia/Shanghai')::date as started_date,
        {{ minutes_between('started_at', 'coalesce(ended_at, ' ~ day_start_at(business_date() ~ ' + 1') ~ ')') }}
            as known_minutes
    from stacked
    where entity_no is not null
),

judged as (
    select
        *,
        known_minutes > {{ parameter('reliability_parameters', 'sustained_minutes', on='started_date') }}
            as is_sustained_dlt_836,
        known_minutes > {{ parameter('reliability_parameters', 'sustained_minutes_ieee_1366', on='started_date') }}
            as is_sustained_ieee_1366,
        coalesce(
            {{ minutes_between('lag(started_at) over at_place', 'started_at') }}
            > {{ parameter('reliability_parameters', 'momentary_sequence_minutes', on='started_date') }},
            true
        ) as is_new_sequence
    from timed
    window at_place as (partition by entity_kind_code, entity_no, side_code, place_no order by started_at, outage_id)
),

sequences as (
    select
        *,
        count(*) filter (where is_new_sequence) over (
            partition by entity_kind_code, entity_no, side_code, place_no
            order by started_at, outage_id
            rows between unbounded preceding and current row
        ) as sequence_no
    from judged
),

-- A reclosing sequence is one momentary event; one that ends in a sustained interruption is none.
final as (
    select
        md5(concat_ws('|', entity_kind_code, entity_no, side_code, outage_id, extract(epoch from started_at))) as interruption_id,
        entity_kind_code,
        entity_no,
        side_code,
        outage_id,
        place_no,
        started_at,
        ended_at,
        started_date,
        kind_code,
        kind_code in ('PLANNED', 'TEMPORARY', 'LOAD_SHEDDING') as is_prearranged,
        kind_code = 'LOAD_SHEDDING' as is_load_shedding,
        is_external,
        customers,
        kva::numeric(16, 2) as kva,
        known_minutes::numeric(18, 8) as known_minutes,
        is_sustained_dlt_836,
        is_sustained_ieee_1366,
        is_new_sequence,
        case
            when is_new_sequence and not bool_or(is_sustained_ieee_1366) over in_sequence
                then max(customers) over in_sequence
            else 0
        end as momentary_event_customers
    from sequences
    window in_sequence as (partition by entity_kind_code, entity_no, side_code, place_no, sequence_no)
)

select * from final
