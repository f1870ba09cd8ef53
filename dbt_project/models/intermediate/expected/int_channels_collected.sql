with point_days as (
    select * from {{ ref('int_expected_point_days') }}
),

channels as (
    select
        expected_channels.*,
        {{ channel_code(['data_type', 'phase', 'direction', 'rate']) }} as channel_code
    from {{ ref('expected_channels') }} as expected_channels
    where {{ is_valid_on('expected_channels', business_date()) }}
),

curves as not materialized (
    select * from {{ ref('int_curves_latest') }}
),

registers as not materialized (
    select * from {{ ref('stg_metering__register_freezes') }}
    where freeze_kind_code in ('DAY', 'MONTH')
),

voltage_days as not materialized (
    select * from {{ ref('stg_metering__voltage_days') }}
),

carriers as (
    select distinct
        metering_point_no,
        meter_asset_no,
        is_billing,
        wiring_code
    from point_days
),

-- Registers are read once: a channel that no meter tells would be looked for in each row of each meter.
registers_told as (
    select distinct
        carriers.is_billing,
        carriers.wiring_code,
        case registers.freeze_kind_code when 'DAY' then 'register' else 'month register' end as what_code,
        registers.energy_kind_code,
        registers.direction_code,
        registers.rate_code
    from registers
    inner join carriers on registers.meter_asset_no = carriers.meter_asset_no
),

-- What any point of the same connection ever delivered, on whichever day. Curves and voltages are asked for by an index, and the
-- question ends with the first row.
final as (
    select distinct
        channels.what_code,
        channels.channel_code,
        kinds.is_billing,
        kinds.wiring_code,
        channels.data_type,
        channels.phase,
        channels.direction,
        channels.rate,
        channels.is_for_feed_in
    from (select distinct is_billing, wiring_code from carriers) as kinds
    inner join channels
        on
            kinds.is_billing = channels.is_billing
            and (channels.wiring_code is null or channels.wiring_code = kinds.wiring_code)
    cross join lateral (
        (
            select 1
            from registers_told as told
            where
                told.what_code = channels.what_code
                and told.energy_kind_code = channels.data_type
                and told.direction_code = channels.direction
                and told.rate_code = channels.rate
                and told.is_billing = kinds.is_billing
                and told.wiring_code is not distinct from kinds.wiring_code
        )
        union all
        (
            select 1
            from carriers
            cross join lateral (
                (
                    select 1
                    from curves
                    where
                        channels.what_code = 'curve'
                        and curves.metering_point_no = carriers.metering_point_no
                        and curves.quantity_code = channels.data_type
                        and curves.phase_code = channels.phase
                    limit 1
                )
                union all
                (
                    select 1
                    from voltage_days
                    where
                        channels.what_code = 'voltage'
                        and voltage_days.metering_point_no = carriers.metering_point_no
                        and voltage_days.phase_code = channels.phase
                    limit 1
                )
            ) as told
            where carriers.is_billing = kinds.is_billing and carriers.wiring_code is not distinct from kinds.wiring_code
            limit 1
        )
    ) as any_of_them
)

select * from final
