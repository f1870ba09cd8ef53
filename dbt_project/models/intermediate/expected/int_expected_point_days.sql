-- Days on which a metering point should deliver, as far as this night looks at them: all points on the days since the night
-- that was published last, and of earlier days those where something is absent, the archive changed, or a curve was withdrawn.
with points as (
    select * from {{ ref('int_metering_points_as_of') }}
    where is_in_marketing and is_installed
),

current_points as (
    select * from {{ ref('int_metering_points_current') }}
),

marketing_points as (
    select * from {{ ref('stg_marketing__metering_points') }}
),

installations as (
    select * from {{ ref('stg_marketing__meter_installations') }}
),

outages as (
    select * from {{ ref('int_outages_by_event') }}
),

findings as (
    select * from {{ source('quality', 'findings') }}
    where rule_id like 'EXP-%' and state <> 'fixed'
),

curves_landed as (
    select * from {{ source('raw_metering', 'met_interval_96') }}
    where _is_tombstone
),

night as (
    select
        current_run.business_date,
        current_run.collection_start,
        {{ last_load_of_nights_before('current_run.business_date') }} as last_load_id,
        greatest(
            current_run.collection_start,
            (
                select max(runs.business_date) + 1
                from {{ source('quality', 'runs') }} as runs
                where runs.state = 'published' and runs.business_date < current_run.business_date
            )
        ) as first_day
    from {{ source('quality', 'current_run') }} as current_run
),

whole_days as (
    select days.reading_date::date as reading_date
    from night
    cross join lateral generate_series(
        night.first_day::timestamp, night.business_date::timestamp, interval '1 day'
    ) as days (reading_date)
    union
    select (record_key ->> 'data_date')::date
    from findings
    where rule_id = 'EXP-01' and record_key ->> 'data_date' is not null
),

changed_points as (
    select marketing_points.metering_point_no
    from marketing_points
    inner join night on marketing_points._load_id > night.last_load_id
    union
    select installations.metering_point_no
    from installations
    inner join night on installations._load_id > night.last_load_id
),

single_days as (
    select
        record_key ->> 'mp_no' as metering_point_no,
        (record_key ->> 'data_date')::date as reading_date
    from findings
    where record_key ->> 'mp_no' is not null and record_key ->> 'data_date' is not null
    union
    select
        current_points.metering_point_no,
        (findings.record_key ->> 'data_date')::date
    from findings
    inner join current_points on findings.record_key ->> 'terminal_no' = current_points.terminal_no
    union
    select trim(curves_landed.mp_no), curves_landed.data_date
    from curves_landed
    inner join night on curves_landed._load_id > night.last_load_id
    union
    select changed_points.metering_point_no, days.reading_date::date
    from changed_points
    cross join night
    cross join lateral generate_series(
        night.collection_start::timestamp, night.first_day::timestamp - interval '1 day', interval '1 day'
    ) as days (reading_date)
),

days as (
    select
        points.metering_point_no,
        whole_days.reading_date,
        true as is_whole
    from points
    inner join whole_days on {{ is_valid_on('points', 'whole_days.reading_date') }}
    union
    select
        single_days.metering_point_no,
        single_days.reading_date,
        false as is_whole
    from single_days
    where single_days.reading_date not in (select whole_days.reading_date from whole_days)
),

-- A meter without supply for the whole day reports nothing. An outage that nobody ended is believed for some days only.
dark_days as (
    select distinct
        days.metering_point_no,
        days.reading_date
    from days
    inner join outages
        on
            days.metering_point_no = outages.metering_point_no
            and outages.started_at <= {{ day_start_at('days.reading_date') }}
            and coalesce(
                outages.ended_at,
                outages.started_at + make_interval(days => {{ rule_parameter('MET-22', 'days', 'days.reading_date') }}::integer)
            ) >= {{ day_start_at('days.reading_date + 1') }}
),

-- An account that generates may feed in at each of its billing points.
generators as (
    select distinct
        points.account_no,
        days.reading_date
    from points
    inner join (select distinct reading_date from days) as days on {{ is_valid_on('points', 'days.reading_date') }}
    where points.role_code = 'GENERATION'
),

final as (
    select
        points.metering_point_no,
        days.reading_date,
        points.account_no,
        points.meter_asset_no,
        points.wiring_code,
        points.role_code = 'BILLING' as is_billing,
        generators.account_no is not null as has_generation,
        days.is_whole
    from days
    cross join night
    inner join points
        on
            days.metering_point_no = points.metering_point_no
            and {{ is_valid_on('points', 'days.reading_date') }}
    left join dark_days
        on
            days.metering_point_no = dark_days.metering_point_no
            and days.reading_date = dark_days.reading_date
    left join generators
        on
            points.account_no = generators.account_no
            and days.reading_date = generators.reading_date
    where
        dark_days.metering_point_no is null
        and days.reading_date between night.collection_start and night.business_date
)

select * from final
