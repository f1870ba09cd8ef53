-- Curves, registers and voltage days: every channel of expected_channels that fits the connection of the point, on each of
-- its days. What no point of the same connection ever delivered is not collected, and not expected.
with point_days as (
    select * from {{ ref('int_expected_point_days') }}
),

-- with the connections of which any point ever delivered it
channels as (
    select * from {{ ref('int_channels_collected') }}
),

curves as not materialized (
    select * from {{ ref('int_curves_latest') }}
),

registers as not materialized (
    -- of the midnight nearest by: a freeze a few minutes late has arrived, and is MET-25
    select *, {{ local_date("(frozen_at + interval '12 hours')") }} - 1 as closed_date
    from {{ ref('stg_metering__register_freezes') }}
    where freeze_kind_code in ('DAY', 'MONTH')
),

voltage_days as not materialized (
    select * from {{ ref('stg_metering__voltage_days') }}
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where superseded_by is null
),

whole_days as (
    select distinct reading_date from point_days
    where is_whole
),

single_days as (
    select distinct metering_point_no, meter_asset_no, reading_date
    from point_days
    where not is_whole
),

-- `carrier` is what the row is delivered for: the metering point, or the meter of a register. Day by day, or point by point, each
-- by an index (`offset 0` keeps it so): no more is read than what is looked at.
delivered as (
    {%- for days in ['whole_days', 'single_days'] %}
    {{ 'union' if not loop.first }}
    select
        of_day.*,
        {{ days }}.reading_date
    from {{ days }}
    cross join lateral (
        select
            'curve' as what_code,
            curves.metering_point_no as carrier_no,
            {{ channel_code(['curves.quantity_code', 'curves.phase_code']) }} as channel_code
        from curves
        where
            curves.reading_date = {{ days }}.reading_date
            {{ 'and curves.metering_point_no = single_days.metering_point_no' if days == 'single_days' }}
        offset 0
    ) as of_day
    union
    select
        of_day.*,
        {{ days }}.reading_date
    from {{ days }}
    cross join lateral (
        select
            case registers.freeze_kind_code when 'DAY' then 'register' else 'month register' end as what_code,
            registers.meter_asset_no as carrier_no,
            {{ channel_code(['registers.energy_kind_code', 'registers.direction_code', 'registers.rate_code']) }} as channel_code
        from registers
        -- the freeze that closes a day is of this day or, a little late, of the next
        where
            registers.reading_date in ({{ days }}.reading_date, {{ days }}.reading_date + 1)
            and registers.closed_date = {{ days }}.reading_date
            {{ 'and registers.meter_asset_no = single_days.meter_asset_no' if days == 'single_days' }}
        offset 0
    ) as of_day
    union
    select
        of_day.*,
        {{ days }}.reading_date
    from {{ days }}
    cross join lateral (
        select
            'voltage' as what_code,
            voltage_days.metering_point_no as carrier_no,
            voltage_days.phase_code as channel_code
        from voltage_days
        where
            voltage_days.reading_date = {{ days }}.reading_date
            {{ 'and voltage_days.metering_point_no = single_days.metering_point_no' if days == 'single_days' }}
        offset 0
    ) as of_day
    {%- endfor %}
),

-- A row that does not cast has arrived too. Its day is the text that was delivered.
rejected_rows as (
    select
        'curve' as what_code,
        btrim(row_text ->> 'mp_no') as carrier_no,
        left(row_text ->> 'data_date', 10) as day_text,
        {{ channel_code(["row_text ->> 'data_type'", "row_text ->> 'phase'"]) }} as channel_code
    from rejected
    where table_name = 'met_interval_96'
    union
    select
        case row_text ->> 'freeze_kind' when 'DAY' then 'register' else 'month register' end,
        btrim(row_text ->> 'meter_asset_no'),
        left(row_text ->> 'freeze_ts', 10),
        {{ channel_code(["row_text ->> 'energy_kind'", "row_text ->> 'dir'", "row_text ->> 'rate'"]) }}
    from rejected
    where table_name = 'met_register_freeze'
    union
    select
        'voltage',
        btrim(row_text ->> 'mp_no'),
        left(row_text ->> 'data_date', 10),
        row_text ->> 'phase'
    from rejected
    where table_name = 'met_voltage_daily'
),

expected as (
    select
        channels.what_code,
        point_days.metering_point_no,
        case
            when channels.what_code in ('curve', 'voltage') then point_days.metering_point_no
            else point_days.meter_asset_no
        end as carrier_no,
        point_days.reading_date,
        -- the freeze at midnight closes the day before it
        case
            when channels.what_code in ('curve', 'voltage') then point_days.reading_date else point_days.reading_date + 1
        end::text as day_text,
        point_days.account_no,
        channels.channel_code,
        jsonb_strip_nulls(jsonb_build_object(
            'what', channels.what_code,
            'mp_no', point_days.metering_point_no,
            'meter_asset_no', case when channels.what_code not in ('curve', 'voltage') then point_days.meter_asset_no end,
            case when channels.what_code in ('curve', 'voltage') then 'data_type' else 'energy_kind' end, channels.data_type,
            'phase', channels.phase,
            'dir', channels.direction,
            'rate', channels.rate,
            'data_date', point_days.reading_date,
            'freeze_ts', case
                when channels.what_code not in ('curve', 'voltage') then point_days.reading_date + 1 || 'T00:00:00+08:00'
            end
        )) as record_key,
        point_days.is_whole
    from point_days
    inner join channels
        on
            channels.is_billing = point_days.is_billing
            and channels.wiring_code is not distinct from point_days.wiring_code
            and (not channels.is_for_feed_in or point_days.has_generation)
    where
        channels.what_code <> 'month register'
        or point_days.reading_date = {{ next_month(month_of('point_days.reading_date')) }} - 1
),

final as (
    select
        expected.what_code,
        expected.metering_point_no as owner_no,
        expected.account_no,
        expected.channel_code,
        expected.record_key,
        expected.reading_date as period_date,
        expected.reading_date as since_date,
        expected.is_whole,
        delivered.carrier_no is not null or rejected_rows.carrier_no is not null as is_arrived
    from expected
    left join delivered
        on
            expected.what_code = delivered.what_code
            and expected.carrier_no = delivered.carrier_no
            and expected.reading_date = delivered.reading_date
            and expected.channel_code = delivered.channel_code
    left join rejected_rows
        on
            expected.what_code = rejected_rows.what_code
            and expected.carrier_no = rejected_rows.carrier_no
            and expected.day_text = rejected_rows.day_text
            and expected.channel_code = rejected_rows.channel_code
)

select * from final
