-- What the supply side recorded of the feeders of an account, cut to the time in which they supplied it, and whether the meters
-- of the account tell of that time themselves.
with supply_paths as (
    select * from {{ ref('int_supply_paths_as_of') }}
),

supply_outages as (
    select * from {{ ref('fct_supply_outages') }}
    where ended_at is null or started_at < ended_at
),

point_outages as (
    select * from {{ ref('int_customer_outages') }}
),

curves as (
    select * from {{ ref('int_curves_latest') }}
    where quantity_code in ('E+', 'U')
),

placed as (
    select
        supply_paths.account_no,
        supply_paths.path_no,
        supply_paths.metering_point_no,
        supply_paths.is_standby,
        supply_outages.supply_outage_id,
        supply_outages.started_at as record_started_at,
        supply_outages.ended_at as record_ended_at,
        supply_outages.started_date,
        greatest(supply_outages.started_at, {{ day_start_at('supply_paths.valid_from') }}) as started_at,
        least(supply_outages.ended_at, {{ day_start_at('supply_paths.valid_to') }}) as ended_at
    from supply_outages
    inner join supply_paths
        on
            supply_outages.feeder_no = supply_paths.feeder_no
            and (
                supply_outages.transformer_area_no is null
                or supply_outages.transformer_area_no = supply_paths.transformer_area_no
            )
            and supply_outages.started_at < coalesce({{ day_start_at('supply_paths.valid_to') }}, 'infinity')
            and {{ day_start_at('supply_paths.valid_from') }} < coalesce(supply_outages.ended_at, 'infinity')
),

-- Every meter of the account: one on another feeder tells as well whether the account was supplied.
meters as (
    select distinct
        placed.supply_outage_id,
        placed.account_no,
        placed.record_started_at,
        coalesce(placed.record_ended_at, {{ day_start_at(business_date() ~ ' + 1') }}) as record_ended_at,
        supply_paths.metering_point_no
    from placed
    inner join supply_paths
        on
            placed.account_no = supply_paths.account_no
            and supply_paths.is_metered
            and placed.record_started_at < coalesce({{ day_start_at('supply_paths.valid_to') }}, 'infinity')
            and {{ day_start_at('supply_paths.valid_from') }} < coalesce(placed.record_ended_at, 'infinity')
),

slots_within as (
    select
        meters.supply_outage_id,
        meters.metering_point_no,
        slots.slot_value,
        {{ slot_start_at('curves.reading_date', 'slots.slot_no') }} >= meters.record_started_at
        and {{ slot_end_at('curves.reading_date', 'slots.slot_no') }} <= meters.record_ended_at as is_covered
    from meters
    inner join curves
        on
            meters.metering_point_no = curves.metering_point_no
            and curves.reading_date between {{ local_date('meters.record_started_at') }} and {{ local_date('meters.record_ended_at') }}
    cross join lateral unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where
        {{ slot_start_at('curves.reading_date', 'slots.slot_no') }} < meters.record_ended_at
        and meters.record_started_at < {{ slot_end_at('curves.reading_date', 'slots.slot_no') }}
),

-- A meter tells of a record by an outage of its own, or by a value in a slot that the record covers wholly; where it covers
-- none, by one in a slot that it touches.
telling as (
    select
        supply_outage_id,
        metering_point_no
    from slots_within
    group by supply_outage_id, metering_point_no
    having case when bool_or(is_covered) then count(slot_value) filter (where is_covered) else count(slot_value) end > 0
    union
    select
        meters.supply_outage_id,
        meters.metering_point_no
    from meters
    inner join point_outages
        on
            meters.metering_point_no = point_outages.metering_point_no
            and point_outages.started_at < meters.record_ended_at
            and meters.record_started_at < coalesce(point_outages.ended_at, 'infinity')
),

told_accounts as (
    select distinct
        meters.supply_outage_id,
        meters.account_no
    from meters
    inner join telling
        on
            meters.supply_outage_id = telling.supply_outage_id
            and meters.metering_point_no = telling.metering_point_no
),

final as (
    select
        placed.account_no,
        placed.path_no,
        placed.metering_point_no,
        placed.is_standby,
        placed.supply_outage_id,
        placed.started_at,
        placed.ended_at,
        placed.started_date,
        placed.record_started_at,
        telling.metering_point_no is not null as is_told_by_meter,
        told_accounts.account_no is not null as is_told_by_account
    from placed
    left join telling
        on
            placed.supply_outage_id = telling.supply_outage_id
            and placed.metering_point_no = telling.metering_point_no
    left join told_accounts
        on placed.supply_outage_id = told_accounts.supply_outage_id and placed.account_no = told_accounts.account_no
)

select * from final
