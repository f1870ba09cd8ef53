with notifications as (
    select distinct on (message_no, account_no)
        *,
        (queued_at at time zone 'Asia/Shanghai')::date as queued_date
    from {{ ref('stg_marketing__notifications') }}
    order by message_no, account_no, _raw_id desc
),

tiers as (
    select * from {{ ref('dim_service_tiers') }}
),

addressed as (
    select
        notifications.*,
        coalesce(
            tiers.tier_code,
            {{ text_parameter('service_parameters', 'untiered_tier_code', on='notifications.queued_date') }}
        ) as recipient_tier_code
    from notifications
    left join tiers
        on
            notifications.account_no = tiers.account_no
            and {{ is_valid_on('tiers', 'notifications.queued_date') }}
),

-- The middle recipient of the others: half of them had the message by then.
others as (
    select
        message_no,
        percentile_disc(0.5) within group (order by sent_at) as median_sent_at
    from addressed
    where recipient_tier_code = 'T3'
    group by message_no
),

led as (
    select
        addressed.*,
        {{ minutes_between('addressed.sent_at', 'others.median_sent_at') }}::numeric(14, 4) as lead_minutes
    from addressed
    left join others
        on addressed.message_no = others.message_no and addressed.recipient_tier_code <> 'T3'
),

medians as (
    select
        message_no,
        (percentile_disc(0.5) within group (order by lead_minutes))::numeric(14, 4) as median_lead_minutes
    from led
    group by message_no
),

final as (
    select
        led.message_no,
        led.account_no,
        led.topic_code as topic,
        led.channel_code,
        led.queued_at,
        led.sent_at,
        led.queued_date,
        led.recipient_tier_code as recipient_tier,
        led.lead_minutes,
        medians.median_lead_minutes
    from led
    left join medians on led.message_no = medians.message_no
)

select * from final
