with point_outages as (
    select * from {{ ref('int_customer_outages') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

-- A check meter sees nothing that the billing point beside it does not; own generation may stop for its own reasons.
placed as (
    select
        point_outages.point_outage_id,
        point_outages.metering_point_no,
        point_outages.basis_code,
        point_outages.started_at,
        coalesce(point_outages.ended_at, 'infinity'::timestamptz) as ended_at,
        metering_points.account_no,
        metering_points.feeder_no,
        metering_points.transformer_area_no
    from point_outages
    inner join metering_points
        on
            point_outages.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', "(point_outages.started_at at time zone 'Asia/Shanghai')::date") }}
    where metering_points.role_code = 'BILLING' and metering_points.account_no is not null
),

-- Points of one account that are dark at the same time are one interruption of one customer.
marked as (
    select
        *,
        coalesce(
            started_at > max(ended_at) over (
                partition by account_no
                order by started_at, ended_at, metering_point_no
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as is_new
    from placed
),

numbered as (
    select
        *,
        count(*) filter (where is_new) over (
            partition by account_no
            order by started_at, ended_at, metering_point_no
            rows between unbounded preceding and current row
        ) as interruption_no
    from marked
),

merged as (
    select
        account_no,
        min(started_at) as started_at,
        nullif(max(ended_at), 'infinity'::timestamptz) as ended_at,
        count(distinct metering_point_no)::integer as interrupted_points,
        min(metering_point_no) as first_metering_point_no,
        (array_agg(feeder_no order by started_at, metering_point_no))[1] as feeder_no,
        (array_agg(transformer_area_no order by started_at, metering_point_no))[1] as transformer_area_no,
        string_agg(distinct basis_code, ', ' order by basis_code) as basis_codes
    from numbered
    group by account_no, interruption_no
),

final as (
    select
        md5(account_no || '|' || extract(epoch from started_at)::text) as customer_outage_id,
        account_no,
        started_at,
        ended_at,
        (started_at at time zone 'Asia/Shanghai')::date as started_date,
        {{ minutes_between('started_at', 'ended_at') }}::numeric(18, 8) as duration_minutes,
        ended_at is null as is_open,
        interrupted_points,
        first_metering_point_no,
        feeder_no,
        transformer_area_no,
        basis_codes
    from merged
)

select * from final
