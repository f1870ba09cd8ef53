/*
sentence: The total register equals the sum of its time-of-use registers within {tolerance_kwh} kWh, secondary.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Otherwise the energy billed by rate is not the energy metered.
source: project rule
subject: met_register_freeze
not_tested: No meter delivered readings by rate.
population: moments of a register with a total and its rates
tests: touched points
reads: [quality.open_findings, stg_metering__register_freezes]
parameters: [tolerance_kwh]
*/
-- tested
-- A register that comes again is compared with the others of its moment, which came in an earlier night.
with changed as (
    select distinct {{ register_of('registers', rate=false) }}, registers.frozen_at, registers.reading_date
    from staging.stg_metering__register_freezes as registers
    where {{ is_new_or_open('registers', 'met_register_freeze') }}
),

readings as (
    select distinct on ({{ register_of('registers') }}, registers.frozen_at)
        registers.*
    from staging.stg_metering__register_freezes as registers
    inner join changed
        on
            ({{ register_of('registers', rate=false) }}, registers.frozen_at)
            = ({{ register_of('changed', rate=false) }}, changed.frozen_at)
    where registers.reading_date = any (array(select changed.reading_date from changed))
    order by
        {{ register_of('registers') }}, registers.frozen_at,
        registers.version desc nulls last, registers._raw_id desc
)

select
    max(readings._raw_id) filter (where readings.rate_code = 'T') as raw_id,
    max(readings.reading_date) as reading_date,
    max(readings.register_reading_kwh) filter (where readings.rate_code = 'T') as total_kwh,
    sum(readings.register_reading_kwh) filter (where readings.rate_code <> 'T') as rates_kwh
from readings
group by {{ register_of('readings', rate=false) }}, readings.frozen_at
having bool_or(readings.rate_code = 'T') and bool_or(readings.rate_code <> 'T')
-- violations
select
    {{ finding('reading', day='reading_date', account=false) }},
    total_kwh::text as observed,
    rates_kwh || ' (sum of the rates)' as expected
from tested
where abs(total_kwh - rates_kwh) > :tolerance_kwh
