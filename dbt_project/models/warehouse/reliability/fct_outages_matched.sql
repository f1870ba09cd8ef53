with customer_outages as (
    select * from {{ ref('fct_customer_outages') }}
),

-- What the supply side recorded of all paths of an account together; a path lost while another supplied is no interruption.
recorded as (
    select
        account_no,
        supply_outage_id,
        darkness_code,
        started_at,
        ended_at,
        {{ minutes_between('started_at', 'ended_at') }} as duration_minutes,
        make_interval(
            secs => 60 * {{ parameter('reliability_parameters', 'match_start_minutes', on=local_date('started_at')) }}
            ::double precision
        ) as start_tolerance
    from {{ ref('int_supply_darkness') }}
    where side_code = 'SUPPLY'
),

candidates as (
    select
        customer_outages.customer_outage_id,
        supply.supply_outage_id,
        supply.started_at as supply_started_at,
        abs({{ minutes_between('customer_outages.started_at', 'supply.started_at') }}) as start_difference_minutes
    from customer_outages
    inner join recorded as supply
        on customer_outages.account_no = supply.account_no and supply.darkness_code = 'INTERRUPTED'
    where
        (
            customer_outages.started_at < coalesce(supply.ended_at, 'infinity'::timestamptz)
            and supply.started_at < coalesce(customer_outages.ended_at, 'infinity'::timestamptz)
        )
        or (
            customer_outages.started_at <= supply.started_at + supply.start_tolerance
            and supply.started_at <= customer_outages.started_at + supply.start_tolerance
        )
),

chosen as (
    select distinct on (customer_outage_id) *
    from candidates
    order by customer_outage_id, start_difference_minutes, supply_outage_id, supply_started_at
),

matched as (
    select
        coalesce(customer_side.account_no, supply.account_no) as account_no,
        customer_side.customer_outage_id,
        supply.supply_outage_id,
        supply.darkness_code,
        customer_side.started_at as customer_started_at,
        customer_side.ended_at as customer_ended_at,
        customer_side.duration_minutes as customer_minutes,
        supply.started_at as supply_started_at,
        supply.ended_at as supply_ended_at,
        supply.duration_minutes as supply_minutes
    from (
        select
            customer_outages.*,
            chosen.supply_outage_id,
            chosen.supply_started_at
        from customer_outages
        left join chosen on customer_outages.customer_outage_id = chosen.customer_outage_id
    ) as customer_side
    full outer join recorded as supply
        on
            customer_side.account_no = supply.account_no
            and customer_side.supply_outage_id = supply.supply_outage_id
            and customer_side.supply_started_at = supply.started_at
            and supply.darkness_code = 'INTERRUPTED'
),

final as (
    select
        md5(concat_ws(
            '|', account_no, customer_outage_id, supply_outage_id, darkness_code, extract(epoch from supply_started_at)
        )) as outage_match_id,
        account_no,
        customer_outage_id,
        supply_outage_id,
        case
            when darkness_code = 'PATH_LOST' then 'PATH_LOST'
            when customer_outage_id is null then 'SUPPLY_ONLY'
            when darkness_code is null then 'METER_ONLY'
            else 'MATCHED'
        end as match_code,
        customer_started_at,
        customer_ended_at,
        customer_minutes,
        supply_started_at,
        supply_ended_at,
        supply_minutes::numeric(18, 8) as supply_minutes,
        (coalesce(customer_started_at, supply_started_at) at time zone 'Asia/Shanghai')::date as started_date,
        (customer_minutes - supply_minutes)::numeric(18, 8) as duration_delta_minutes
    from matched
)

select * from final
