with supply_outages as (
    select * from {{ ref('stg_metering__supply_outages') }}
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

placed as (
    select distinct on (supply_outages.supply_outage_id)
        supply_outages.*,
        feeders.org_no
    from supply_outages
    left join feeders
        on
            supply_outages.feeder_no = feeders.feeder_no
            and {{ is_valid_on('feeders', "(supply_outages.started_at at time zone 'Asia/Shanghai')::date") }}
    order by supply_outages.supply_outage_id, supply_outages._raw_id desc, feeders.valid_from desc
),

final as (
    select
        supply_outage_id,
        feeder_no,
        transformer_area_no,
        org_no,
        kind_code,
        cause_code,
        is_external,
        started_at,
        ended_at,
        (started_at at time zone 'Asia/Shanghai')::date as started_date,
        {{ minutes_between('started_at', 'ended_at') }}::numeric(18, 8) as duration_minutes,
        ended_at is null as is_open,
        customers_interrupted,
        interrupted_kva
    from placed
)

select * from final
