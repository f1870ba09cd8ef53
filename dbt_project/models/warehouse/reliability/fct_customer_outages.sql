with darkness as (
    select * from {{ ref('int_supply_darkness') }}
    where side_code = 'CUSTOMER' and darkness_code = 'INTERRUPTED'
),

point_outages as (
    select * from {{ ref('int_customer_outages') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

-- A check meter sees nothing that the billing point beside it does not; own generation may stop for its own reasons.
placed as (
    select
        point_outages.metering_point_no,
        point_outages.basis_code,
        greatest(point_outages.started_at, {{ day_start_at('metering_points.valid_from') }}) as started_at,
        least(coalesce(point_outages.ended_at, 'infinity'), {{ day_start_at('metering_points.valid_to') }}) as ended_at,
        metering_points.account_no,
        metering_points.feeder_no,
        metering_points.transformer_area_no
    from point_outages
    inner join metering_points
        on
            point_outages.metering_point_no = metering_points.metering_point_no
            and point_outages.started_at < coalesce({{ day_start_at('metering_points.valid_to') }}, 'infinity')
            and {{ day_start_at('metering_points.valid_from') }} < coalesce(point_outages.ended_at, 'infinity')
    where metering_points.role_code = 'BILLING' and metering_points.account_no is not null
),

-- Which points told of it; the feeder is that of the point that went dark first.
seen as (
    select
        darkness.account_no,
        darkness.started_at,
        darkness.ended_at,
        count(distinct placed.metering_point_no)::integer as interrupted_points,
        min(placed.metering_point_no) as first_metering_point_no,
        (array_agg(placed.feeder_no order by placed.started_at, placed.metering_point_no))[1] as feeder_no,
        (array_agg(placed.transformer_area_no order by placed.started_at, placed.metering_point_no))[1] as transformer_area_no,
        string_agg(distinct placed.basis_code, ', ' order by placed.basis_code) as basis_codes
    from darkness
    inner join placed
        on
            darkness.account_no = placed.account_no
            and placed.started_at < coalesce(darkness.ended_at, 'infinity'::timestamptz)
            and darkness.started_at < placed.ended_at
    group by darkness.account_no, darkness.started_at, darkness.ended_at
),

final as (
    select
        md5(account_no || '|' || extract(epoch from started_at)::text) as customer_outage_id,
        account_no,
        started_at,
        ended_at,
        {{ local_date('started_at') }} as started_date,
        {{ minutes_between('started_at', 'ended_at') }}::numeric(18, 8) as duration_minutes,
        ended_at is null as is_open,
        interrupted_points,
        first_metering_point_no,
        feeder_no,
        transformer_area_no,
        basis_codes
    from seen
)

select * from final
