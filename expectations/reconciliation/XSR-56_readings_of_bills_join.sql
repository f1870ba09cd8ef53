/*
sentence: A bill line begins with the reading with which the line before it ended, or with the first reading of the installation, within {tolerance_kwh} kWh.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Readings that do not join hide energy, whatever an addition makes good again.
source: project rule
at_stake: "Energy between the two readings less what the line adds; yuan at the price of the line."
likely_wrong: "Undetermined: one of two lines of marketing. The register of the metering system speaks against one; without it, the later is named."
subject: mkt_bill_line
not_tested: No bill line has a line before it, or begins with the installation of its meter.
population: lines of regular bills with a line before or after them, or with the installation of their meter on the first day
reads: [int_bill_lines_metered, stg_marketing__meter_installations]
compares: [marketing.mkt_bill_line.prev_reading, metering.met_register_freeze.reading]
parameters: [tolerance_kwh]
*/
-- tested
with lines as (
    select *
    from staging.int_bill_lines_metered
    where is_regular
),

joins as (
    select
        later._raw_id as later_raw_id,
        former._raw_id as former_raw_id,
        later.previous_reading_kwh as later_kwh,
        former.current_reading_kwh as former_kwh,
        abs(later.opening_kwh - later.previous_reading_kwh) <= limits.tolerance_kwh as is_later_read,
        abs(later.opening_kwh - former.current_reading_kwh) <= limits.tolerance_kwh as is_former_read,
        limits.tolerance_kwh
    from lines as later
    inner join lines as former
        on
            (later.metering_point_no, later.meter_asset_no, later.rate_code, later.read_from)
            = (former.metering_point_no, former.meter_asset_no, former.rate_code, former.read_to)
    cross join (select :tolerance_kwh as tolerance_kwh) as limits
    where num_nulls(later.previous_reading_kwh, former.current_reading_kwh) = 0
),

first_readings as (
    select
        lines._raw_id as later_raw_id,
        lines.previous_reading_kwh as later_kwh,
        {{ install_reading_of('installations', 'lines.rate_code') }} as installed_kwh
    from lines
    inner join staging.stg_marketing__meter_installations as installations
        on
            (lines.metering_point_no, lines.meter_asset_no, lines.read_from)
            = (installations.metering_point_no, installations.meter_asset_no, installations.install_date)
),

told as (
    -- of two lines that do not join the former is wrong only where the register has the reading of the later
    select
        later_raw_id as raw_id,
        'prev_reading' as column_name,
        later_kwh as stated_kwh,
        former_kwh as joining_kwh,
        'the present reading of the line before' as joining_with,
        abs(later_kwh - former_kwh) <= tolerance_kwh or (coalesce(is_later_read, false) and not coalesce(is_former_read, false)) as is_right
    from joins
    union all
    select
        former_raw_id,
        'curr_reading',
        former_kwh,
        later_kwh,
        'the previous reading of the line after',
        abs(later_kwh - former_kwh) <= tolerance_kwh or not (coalesce(is_later_read, false) and not coalesce(is_former_read, false))
    from joins
    union all
    select
        later_raw_id,
        'prev_reading',
        later_kwh,
        installed_kwh,
        'the first reading of the installation',
        abs(later_kwh - installed_kwh) <= :tolerance_kwh
    from first_readings
    where num_nulls(later_kwh, installed_kwh) = 0
)

select
    {{ row_of('lines') }},
    lines.bill_month,
    lines.added_kwh,
    lines.multiplier,
    lines.price_cny_per_kwh,
    joined.previous_kwh,
    joined.current_kwh,
    joined.before_kwh,
    joined.before_is,
    joined.after_kwh
from lines
inner join (
    select
        told.raw_id,
        max(told.stated_kwh) filter (where told.column_name = 'prev_reading') as previous_kwh,
        max(told.stated_kwh) filter (where told.column_name = 'curr_reading') as current_kwh,
        -- where one of several lines before it joins, it joins
        case
            when not bool_or(told.is_right) filter (where told.column_name = 'prev_reading')
                then min(told.joining_kwh) filter (where told.column_name = 'prev_reading')
        end as before_kwh,
        min(told.joining_with) filter (where told.column_name = 'prev_reading') as before_is,
        case
            when not bool_or(told.is_right) filter (where told.column_name = 'curr_reading')
                then min(told.joining_kwh) filter (where told.column_name = 'curr_reading')
        end as after_kwh
    from told
    group by told.raw_id
) as joined on lines._raw_id = joined.raw_id
-- violations
select
    {{ finding(column_sql='readings.column_name', day='bill_month') }},
    trim_scale(readings.stated_kwh) || ' kWh' || case when added_kwh <> 0 then ', with ' || trim_scale(added_kwh) || ' kWh added' else '' end as observed,
    trim_scale(readings.joining_kwh) || ' kWh, ' || readings.joining_with as expected,
    trim_scale(readings.apart_kwh) as energy_at_stake_kwh,
    round(readings.apart_kwh * price_cny_per_kwh, 2) as amount_at_stake_cny
from tested
cross join lateral (
    select told.*, abs(abs(told.stated_kwh - told.joining_kwh) * multiplier - abs(coalesce(added_kwh, 0))) as apart_kwh
    from (
        values
        ('prev_reading', previous_kwh, before_kwh, before_is),
        ('curr_reading', current_kwh, after_kwh, 'the previous reading of the line after')
    ) as told (column_name, stated_kwh, joining_kwh, joining_with)
    where told.joining_kwh is not null
) as readings
