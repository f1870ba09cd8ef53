with darkness as (
    select * from {{ ref('int_supply_darkness') }}
    where darkness_code = 'PATH_LOST'
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where role_code = 'BILLING' and account_no is not null
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

bills as (
    select * from {{ ref('fct_bills') }}
    where total_charge_cny >= 0
),

dated as (
    select
        *,
        {{ local_date('started_at') }} as started_date
    from darkness
),

connected as (
    select
        dated.account_no,
        dated.path_no,
        dated.started_at,
        count(distinct coalesce(metering_points.feeder_no, metering_points.metering_point_no))::integer as paths
    from dated
    inner join metering_points
        on dated.account_no = metering_points.account_no and {{ is_valid_on('metering_points', 'dated.started_date') }}
    group by dated.account_no, dated.path_no, dated.started_at
),

-- What is needed is the highest demand of the twelve months before; where no bill tells it, the contract capacity.
demands as (
    select
        dated.account_no,
        dated.path_no,
        dated.started_at,
        max(bills.actual_demand_kw)::numeric(18, 4) as needed_kw
    from dated
    inner join bills
        on
            dated.account_no = bills.account_no
            and bills.bill_month < date_trunc('month', dated.started_date::timestamp)
            and bills.bill_month >= date_trunc('month', dated.started_date::timestamp) - interval '12 months'
    group by dated.account_no, dated.path_no, dated.started_at
),

final as (
    select
        md5(concat_ws('|', dated.account_no, dated.path_no, extract(epoch from dated.started_at)::text)) as path_loss_id,
        dated.account_no,
        dated.path_no,
        dated.feeder_no,
        dated.started_at,
        dated.ended_at,
        dated.started_date,
        {{ minutes_between('dated.started_at', 'dated.ended_at') }}::numeric(18, 8) as duration_minutes,
        dated.ended_at is null as is_open,
        connected.paths,
        demands.needed_kw,
        case when demands.needed_kw is null then accounts.contract_capacity_kva end::numeric(16, 2) as needed_kva,
        'UNKNOWN' as capacity_left_code
    from dated
    left join connected
        on
            dated.account_no = connected.account_no
            and dated.path_no = connected.path_no
            and dated.started_at = connected.started_at
    left join demands
        on
            dated.account_no = demands.account_no
            and dated.path_no = demands.path_no
            and dated.started_at = demands.started_at
    left join accounts on dated.account_no = accounts.account_no
)

select * from final
