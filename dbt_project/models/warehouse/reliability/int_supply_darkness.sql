-- When the supply paths of an account were dark: all at once (an interruption), or one while another supplied (a path lost); as
-- its meters tell it, and as the supply side recorded it.
{%- set always = "'{(,)}'::tstzmultirange" %}
{%- set never = "'{}'::tstzmultirange" %}

with supply_paths as (
    select
        *,
        tstzrange({{ day_start_at('valid_from') }}, {{ day_start_at('valid_to') }}) as valid_time
    from {{ ref('int_supply_paths_as_of') }}
),

point_outages as (
    select * from {{ ref('int_customer_outages') }}
),

records as (
    select * from {{ ref('int_path_records') }}
),

connected as (
    select account_no, path_no, metering_point_no, is_standby, min(feeder_no) as feeder_no, range_agg(valid_time) as supplied
    from supply_paths
    group by account_no, path_no, metering_point_no, is_standby
),

dark_by_meter as (
    select
        supply_paths.account_no,
        supply_paths.path_no,
        supply_paths.metering_point_no,
        range_agg(tstzrange(point_outages.started_at, point_outages.ended_at) * supply_paths.valid_time) as dark
    from point_outages
    inner join supply_paths
        on
            point_outages.metering_point_no = supply_paths.metering_point_no
            and tstzrange(point_outages.started_at, point_outages.ended_at) && supply_paths.valid_time
    group by supply_paths.account_no, supply_paths.path_no, supply_paths.metering_point_no
),

-- On the customer's side a record speaks for a point that has no meter, or one that was silent.
dark_by_record as (
    select
        account_no,
        path_no,
        metering_point_no,
        is_standby,
        range_agg(tstzrange(started_at, ended_at)) as dark,
        coalesce(range_agg(tstzrange(started_at, ended_at)) filter (where not is_told_by_meter), {{ never }}) as dark_untold
    from records
    group by account_no, path_no, metering_point_no, is_standby
),

-- Where no meter of the account tells, another path counts as available after the time that switching over takes.
switched_over as (
    select
        account_no,
        range_agg(
            tstzrange(
                started_at,
                least(
                    ended_at,
                    started_at + make_interval(
                        secs => 60 * {{ parameter('reliability_parameters', 'transfer_minutes', on='records.started_date') }}
                        ::double precision
                    )
                )
            )
        ) as times
    from records
    where not is_standby and not is_told_by_account
    group by account_no
),

-- A circuit of the contract on which a billing point hangs is that of the point.
by_point as (
    select
        sides.side_code,
        connected.account_no,
        connected.path_no,
        connected.feeder_no,
        connected.is_standby,
        case
            when connected.is_standby then connected.supplied - coalesce(points.supplied, {{ never }})
            else connected.supplied
        end as supplied,
        coalesce(dark_by_meter.dark, {{ never }}) as dark_by_meter,
        case sides.side_code
            when 'CUSTOMER' then coalesce(dark_by_meter.dark, {{ never }}) + coalesce(dark_by_record.dark_untold, {{ never }})
            else coalesce(dark_by_record.dark, {{ never }})
        end as dark
    from connected
    cross join (values ('CUSTOMER'), ('SUPPLY')) as sides (side_code)
    left join (
        select of_points.account_no, of_points.path_no, range_agg(of_points.supplied) as supplied
        from connected as of_points
        where not of_points.is_standby
        group by of_points.account_no, of_points.path_no
    ) as points
        on connected.account_no = points.account_no and connected.path_no = points.path_no
    left join dark_by_meter
        on
            connected.account_no = dark_by_meter.account_no
            and connected.path_no = dark_by_meter.path_no
            and connected.metering_point_no = dark_by_meter.metering_point_no
    left join dark_by_record
        on
            connected.account_no = dark_by_record.account_no
            and connected.path_no = dark_by_record.path_no
            and connected.metering_point_no is not distinct from dark_by_record.metering_point_no
            and connected.is_standby = dark_by_record.is_standby
    -- The customer's own points see what main and backup supply give together; no record tells of a point without feeder.
    where case sides.side_code when 'SUPPLY' then connected.feeder_no is not null else not connected.is_standby end
),

-- Of several meters on one feeder each would be dark: one alone lost more than its path.
by_path as (
    select
        side_code,
        account_no,
        path_no,
        min(feeder_no) as feeder_no,
        range_agg(supplied) as supplied,
        range_agg(dark_by_meter) as dark_by_meter,
        range_intersect_agg(dark + ({{ always }} - supplied)) * range_agg(supplied) as dark
    from by_point
    where not isempty(supplied)
    group by side_code, account_no, path_no
),

-- A path that is not connected, or no longer, supplies nothing: it keeps no interruption from being one.
accounts as (
    select
        by_path.side_code,
        by_path.account_no,
        case by_path.side_code
            when 'CUSTOMER'
                then range_intersect_agg(by_path.dark + ({{ always }} - by_path.supplied)) * range_agg(by_path.dark_by_meter)
            else
                range_intersect_agg(by_path.dark + ({{ always }} - by_path.supplied)) * range_agg(by_path.dark)
                + range_agg(by_path.dark) * coalesce(range_agg(switched_over.times), {{ never }})
        end as interrupted,
        range_agg(by_path.supplied - by_path.dark) as lit
    from by_path
    left join switched_over on by_path.account_no = switched_over.account_no
    group by by_path.side_code, by_path.account_no
    having bool_or(not isempty(by_path.dark))
),

times as (
    select
        accounts.side_code,
        accounts.account_no,
        'ALL' as path_no,
        null::text as feeder_no,
        'INTERRUPTED' as darkness_code,
        lower(pieces.dark_time) as started_at,
        upper(pieces.dark_time) as ended_at
    from accounts
    cross join lateral unnest(accounts.interrupted) as pieces (dark_time)
    union all
    select
        by_path.side_code,
        by_path.account_no,
        by_path.path_no,
        by_path.feeder_no,
        'PATH_LOST' as darkness_code,
        lower(pieces.dark_time) as started_at,
        upper(pieces.dark_time) as ended_at
    from by_path
    inner join accounts on by_path.side_code = accounts.side_code and by_path.account_no = accounts.account_no
    cross join lateral unnest(by_path.dark * accounts.lit - accounts.interrupted) as pieces (dark_time)
),

-- The record of a time on the supply side is the one that made it: the last to begin of those that cover its start.
final as (
    select distinct on (times.side_code, times.account_no, times.path_no, times.darkness_code, times.started_at)
        times.side_code,
        times.account_no,
        times.path_no,
        times.feeder_no,
        times.darkness_code,
        times.started_at,
        times.ended_at,
        records.supply_outage_id
    from times
    left join records
        on
            times.side_code = 'SUPPLY'
            and times.account_no = records.account_no
            and times.path_no in ('ALL', records.path_no)
            and records.started_at <= times.started_at
            and times.started_at < coalesce(records.ended_at, 'infinity')
    order by
        times.side_code, times.account_no, times.path_no, times.darkness_code, times.started_at,
        records.record_started_at desc, records.supply_outage_id
)

select * from final
