with darkness as (
    select * from {{ ref('int_supply_darkness') }}
),

supply_paths as (
    select * from {{ ref('int_supply_paths_as_of') }}
),

contracts as (
    select * from {{ ref('int_contracts_in_force') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

bills as (
    select * from {{ ref('fct_bills') }}
    where total_charge_cny >= 0
),

-- A path is lost by whichever side tells it, but not while the meters of the account saw no supply at all.
lost as (
    select
        account_no,
        path_no,
        min(feeder_no) as feeder_no,
        range_agg(tstzrange(started_at, ended_at)) as times
    from darkness
    where darkness_code = 'PATH_LOST'
    group by account_no, path_no
),

interrupted as (
    select
        account_no,
        range_agg(tstzrange(started_at, ended_at)) as times
    from darkness
    where side_code = 'CUSTOMER' and darkness_code = 'INTERRUPTED'
    group by account_no
),

dated as (
    select
        lost.account_no,
        lost.path_no,
        lost.feeder_no,
        lower(pieces.lost_time) as started_at,
        upper(pieces.lost_time) as ended_at,
        {{ local_date('lower(pieces.lost_time)') }} as started_date
    from lost
    left join interrupted on lost.account_no = interrupted.account_no
    cross join lateral unnest(lost.times - coalesce(interrupted.times, '{}'::tstzmultirange)) as pieces (lost_time)
),

connected as (
    select
        dated.account_no,
        dated.path_no,
        dated.started_at,
        count(distinct supply_paths.path_no)::integer as paths
    from dated
    inner join supply_paths
        on dated.account_no = supply_paths.account_no and {{ is_valid_on('supply_paths', 'dated.started_date') }}
    group by dated.account_no, dated.path_no, dated.started_at
),

-- What is needed is the highest demand of the twelve months before; where no bill tells it, the contract capacity of the day.
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
        case
            when demands.needed_kw is null then coalesce(contracts.contract_capacity_kva, accounts.contract_capacity_kva)
        end::numeric(16, 2) as needed_kva,
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
    left join contracts on dated.account_no = contracts.account_no and {{ is_valid_on('contracts', 'dated.started_date') }}
    left join accounts on dated.account_no = accounts.account_no
)

select * from final
