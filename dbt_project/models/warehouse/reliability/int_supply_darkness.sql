-- When the supply paths of an account were dark: all at once (an interruption), or one while another supplied (a path lost).
with point_outages as (
    select * from {{ ref('int_customer_outages') }}
),

metering_points as (
    select
        *,
        coalesce(feeder_no, metering_point_no) as path_no,
        is_installed is distinct from false as is_metered
    from {{ ref('dim_metering_points') }}
    where
        role_code = 'BILLING'
        and account_no is not null
        and (valid_to is null or valid_from < valid_to)
),

supply_outages as (
    select * from {{ ref('fct_supply_outages') }}
    where ended_at is null or started_at < ended_at
),

-- A meter whose slots carry load did not lose its supply, whatever its events say (MET-56).
contradicted as (
    select * from {{ ref('int_outage_loads') }}
    where loaded_slots > 0
),

-- A path is the feeder on which billing points of the account hang.
paths as (
    select
        account_no,
        path_no,
        min(feeder_no) as feeder_no,
        range_agg(tstzrange({{ day_start_at('valid_from') }}, {{ day_start_at('valid_to') }})) as supplied,
        coalesce(
            range_agg(tstzrange({{ day_start_at('valid_from') }}, {{ day_start_at('valid_to') }})) filter (where is_metered),
            '{}'::tstzmultirange
        ) as metered
    from metering_points
    group by account_no, path_no
),

dark_by_meter as (
    select
        metering_points.account_no,
        metering_points.path_no,
        range_agg(tstzrange(point_outages.started_at, point_outages.ended_at)) as dark
    from point_outages
    inner join metering_points
        on
            point_outages.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', local_date('point_outages.started_at')) }}
    left join contradicted
        on
            point_outages.basis_code = 'POWER_EVENT'
            and point_outages.metering_point_no = contradicted.metering_point_no
            and point_outages.started_at = contradicted.started_at
    where contradicted.metering_point_no is null
    group by metering_points.account_no, metering_points.path_no
),

-- Where no meter is installed, what the supply side recorded of the feeder speaks for the path.
dark_by_record as (
    select
        metering_points.account_no,
        metering_points.path_no,
        range_agg(tstzrange(supply_outages.started_at, supply_outages.ended_at)) as dark
    from supply_outages
    inner join metering_points
        on
            supply_outages.feeder_no = metering_points.feeder_no
            and (
                supply_outages.transformer_area_no is null
                or supply_outages.transformer_area_no = metering_points.transformer_area_no
            )
            and {{ is_valid_on('metering_points', 'supply_outages.started_date') }}
    where not metering_points.is_metered
    group by metering_points.account_no, metering_points.path_no
),

told as (
    select
        paths.account_no,
        paths.path_no,
        paths.feeder_no,
        paths.supplied,
        coalesce(dark_by_meter.dark, '{}'::tstzmultirange) as dark_by_meter,
        coalesce(dark_by_meter.dark, '{}'::tstzmultirange)
        + coalesce(dark_by_record.dark, '{}'::tstzmultirange) * (paths.supplied - paths.metered) as dark
    from paths
    left join dark_by_meter on paths.account_no = dark_by_meter.account_no and paths.path_no = dark_by_meter.path_no
    left join dark_by_record on paths.account_no = dark_by_record.account_no and paths.path_no = dark_by_record.path_no
),

-- A path that is not connected, or no longer, supplies nothing: it keeps no interruption from being one.
accounts as (
    select
        account_no,
        range_intersect_agg(dark + ('{(,)}'::tstzmultirange - supplied)) * range_agg(dark_by_meter) as interrupted,
        range_agg(supplied - dark) as lit
    from told
    group by account_no
    having bool_or(not isempty(dark))
),

final as (
    select
        accounts.account_no,
        'ALL' as path_no,
        null::text as feeder_no,
        'INTERRUPTED' as darkness_code,
        lower(times.dark_time) as started_at,
        upper(times.dark_time) as ended_at
    from accounts
    cross join lateral unnest(accounts.interrupted) as times (dark_time)
    union all
    select
        told.account_no,
        told.path_no,
        told.feeder_no,
        'PATH_LOST' as darkness_code,
        lower(times.dark_time) as started_at,
        upper(times.dark_time) as ended_at
    from told
    inner join accounts on told.account_no = accounts.account_no
    cross join lateral unnest(told.dark * told.supplied * accounts.lit) as times (dark_time)
)

select * from final
