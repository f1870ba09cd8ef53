{{ config(tags=['as_delivered']) }}
{%- set day = business_date() -%}

-- Outages of a feeder as its meters tell them: interruptions of billing points that begin together are one. The coarsest of
-- what tells of an interruption, a curve, tells it to a slot.
with outages as (
    select * from {{ ref('int_customer_outages') }}
),

supply_outages as (
    select * from {{ ref('stg_metering__supply_outages') }}
),

limits as materialized (
    select make_interval(mins => {{ rule_parameter('XSR-50', 'minutes', day) }}::integer) as apart
),

metering_points as (
    select * from {{ ref('int_metering_points_as_of') }}
    where role_code = 'BILLING' and account_no is not null and feeder_no is not null
),

placed as (
    select
        metering_points.feeder_no,
        metering_points.account_no,
        outages.metering_point_no,
        outages.started_at,
        coalesce(outages.ended_at, {{ day_start_at(day ~ ' + 1') }}) as ended_at
    from outages
    inner join metering_points
        on
            outages.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', local_date('outages.started_at')) }}
),

numbered as (
    select
        followed.*,
        count(*) filter (
            where followed.started_at > followed.started_before + limits.apart
        ) over (partition by followed.feeder_no order by followed.started_at, followed.metering_point_no) as outage_no
    from (
        select
            placed.*,
            lag(placed.started_at) over (partition by placed.feeder_no order by placed.started_at, placed.metering_point_no) as started_before
        from placed
    ) as followed
    cross join limits
),

shared as (
    select
        feeder_no,
        min(started_at) as started_at,
        max(started_at) as last_started_at,
        max(ended_at) as ended_at,
        count(distinct account_no)::integer as accounts
    from numbered
    group by feeder_no, outage_no
),

final as (
    select
        shared.*,
        exists (
            select 1
            from supply_outages
            where
                supply_outages.feeder_no = shared.feeder_no
                and supply_outages.started_at <= shared.ended_at + limits.apart
                and coalesce(supply_outages.ended_at, 'infinity') >= shared.started_at - limits.apart
        ) as is_on_record
    from shared
    cross join limits
)

select * from final
