with customer_outages as (
    select * from {{ ref('fct_customer_outages') }}
),

supply_outages as (
    select * from {{ ref('fct_supply_outages') }}
),

path_losses as (
    select * from {{ ref('fct_path_losses') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where role_code = 'BILLING' and account_no is not null
),

-- A supply record concerns an account whose billing point hangs on the feeder, and on the transformer area if one is named.
supply_outages_by_account as (
    select distinct
        metering_points.account_no,
        supply_outages.supply_outage_id,
        supply_outages.feeder_no,
        supply_outages.started_at,
        supply_outages.ended_at,
        supply_outages.duration_minutes,
        make_interval(
            secs => 60 * {{ parameter('reliability_parameters', 'match_start_minutes', on='supply_outages.started_date') }}
            ::double precision
        ) as start_tolerance
    from supply_outages
    inner join metering_points
        on
            supply_outages.feeder_no = metering_points.feeder_no
            and (
                supply_outages.transformer_area_no is null
                or supply_outages.transformer_area_no = metering_points.transformer_area_no
            )
            and {{ is_valid_on('metering_points', 'supply_outages.started_date') }}
),

candidates as (
    select
        customer_outages.customer_outage_id,
        supply.supply_outage_id,
        abs({{ minutes_between('customer_outages.started_at', 'supply.started_at') }}) as start_difference_minutes
    from customer_outages
    inner join supply_outages_by_account as supply on customer_outages.account_no = supply.account_no
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
    select distinct on (customer_outage_id)
        customer_outage_id,
        supply_outage_id
    from candidates
    order by customer_outage_id, start_difference_minutes, supply_outage_id
),

-- A record of a feeder that an account lost while another supplied it is no interruption of that account.
path_supply_outages as (
    select distinct
        supply.account_no,
        supply.supply_outage_id
    from supply_outages_by_account as supply
    inner join path_losses
        on
            supply.account_no = path_losses.account_no
            and supply.feeder_no = path_losses.feeder_no
            and supply.started_at - supply.start_tolerance < coalesce(path_losses.ended_at, 'infinity'::timestamptz)
            and path_losses.started_at - supply.start_tolerance < coalesce(supply.ended_at, 'infinity'::timestamptz)
),

matched as (
    select
        coalesce(customer_side.account_no, supply.account_no) as account_no,
        customer_side.customer_outage_id,
        supply.supply_outage_id,
        customer_side.started_at as customer_started_at,
        customer_side.ended_at as customer_ended_at,
        customer_side.duration_minutes as customer_minutes,
        supply.started_at as supply_started_at,
        supply.ended_at as supply_ended_at,
        supply.duration_minutes as supply_minutes,
        lost.account_no is not null as is_path_lost
    from (
        select
            customer_outages.*,
            chosen.supply_outage_id
        from customer_outages
        left join chosen on customer_outages.customer_outage_id = chosen.customer_outage_id
    ) as customer_side
    full outer join supply_outages_by_account as supply
        on
            customer_side.account_no = supply.account_no
            and customer_side.supply_outage_id = supply.supply_outage_id
    left join path_supply_outages as lost
        on supply.account_no = lost.account_no and supply.supply_outage_id = lost.supply_outage_id
),

final as (
    select
        md5(concat_ws('|', account_no, customer_outage_id, supply_outage_id)) as outage_match_id,
        account_no,
        customer_outage_id,
        supply_outage_id,
        case
            when customer_outage_id is null and is_path_lost then 'PATH_LOST'
            when customer_outage_id is null then 'SUPPLY_ONLY'
            when supply_outage_id is null then 'METER_ONLY'
            else 'MATCHED'
        end as match_code,
        customer_started_at,
        customer_ended_at,
        customer_minutes,
        supply_started_at,
        supply_ended_at,
        supply_minutes,
        (coalesce(customer_started_at, supply_started_at) at time zone 'Asia/Shanghai')::date as started_date,
        (customer_minutes - supply_minutes)::numeric(18, 8) as duration_delta_minutes
    from matched
)

select * from final
