/*
sentence: A register reading is at least the reading before it, unless the register rolled over or the meter was replaced.
axis: mismatch
dimension: consistency
severity: quarantine
owner: metering office
reason: Energy from a register that runs backwards would be negative.
source: project rule
subject: met_register_freeze
quarantines: met_register_freeze
implies: [MET-12]
not_tested: No register has two readings.
population: register readings with one before them
tests: touched points
reads: [quality.open_findings, stg_metering__meters, stg_metering__register_freezes]
parameters: [look_back_days, rollover_below_share, rollover_from_share]
*/
-- tested
with landed as (
    select distinct registers.reading_date
    from staging.stg_metering__register_freezes as registers
    where registers._load_id > quality.last_passed_load_id()
),

-- All days since the first reading that landed, as a list: of a list an index finds the blocks, of a range it asks for each row.
days as (
    select landed.reading_date
    from landed
    union
    select first_landed.reading_date + later.days
    from (select min(landed.reading_date) as reading_date from landed) as first_landed
    cross join lateral generate_series(
        -:look_back_days::integer, :business_date + 1 - first_landed.reading_date
    ) as later (days)
),

-- Of a meter with an open finding every reading is tested again, however old; of the others none that is older.
meters_open as (
    select registers.meter_asset_no
    from staging.stg_metering__register_freezes as registers
    where {{ is_open('registers', 'met_register_freeze') }}
),

-- A reading that is not on the meter at all (MET-05) is no reading to compare with.
readings as (
    select distinct on ({{ register_of('registers') }}, registers.frozen_at)
        registers._raw_id as raw_id,
        {{ register_of('registers') }},
        registers.frozen_at,
        registers.reading_date,
        registers.register_reading_kwh,
        meters.digits_int
    from staging.stg_metering__register_freezes as registers
    left join {{ one_each('staging.stg_metering__meters', 'meter_asset_no', 'digits_int', 'max') }} as meters
        on registers.meter_asset_no = meters.meter_asset_no
    where
        registers.freeze_kind_code in ('DAY', 'MONTH')
        and (
            registers.reading_date = any (array(select days.reading_date from days))
            or registers.meter_asset_no = any (array(select meters_open.meter_asset_no from meters_open))
        )
        and registers.register_reading_kwh >= 0
        and (meters.digits_int is null or registers.register_reading_kwh < 10 ^ meters.digits_int::numeric)
    order by
        {{ register_of('registers') }}, registers.frozen_at,
        registers.version desc nulls last, registers._raw_id desc
),

compared as (
    select
        readings.*,
        lag(readings.register_reading_kwh) over by_time as reading_before,
        lag(readings.frozen_at) over by_time as frozen_before
    from readings
    window by_time as (partition by {{ register_of('readings') }} order by readings.frozen_at)
),

differences as (
    select
        compared.*,
        {{ register_difference('compared.reading_before', 'compared.register_reading_kwh', 'compared.digits_int::integer') }} as difference
    from compared
    where compared.reading_before is not null
)

select
    differences.raw_id,
    differences.reading_date,
    differences.register_reading_kwh,
    differences.reading_before,
    differences.difference,
    case
        when differences.difference < 0 then exists (
            select 1
            from staging.stg_metering__register_freezes as swaps
            where
                swaps.meter_asset_no = differences.meter_asset_no
                and swaps.freeze_kind_code = 'SWAP'
                and swaps.frozen_at between differences.frozen_before and differences.frozen_at
        )
    end as was_swapped
from differences
-- violations
select
    {{ finding('reading', day='reading_date', account=false) }},
    register_reading_kwh::text as observed,
    'at least ' || reading_before as expected
from tested
-- Asked only of a register that ran backwards.
where not was_swapped
