/*
sentence: At most {manual_share} of an organisation's readings of a day are entered by hand, and their last digits are uniformly distributed.
axis: arbitrary
dimension: plausibility
severity: warn
owner: metering office
reason: Readings entered by hand are late, rounded, or guessed; guessed ones end in 0 and 5.
source: project rule; the share of each day alone, no test of chance; chi-square, where the ten last digits fall evenly (nine degrees of freedom) and 200 or more are counted, at most 0.1 % of honest organisations are found
subject: organisation x day, organisation
about: met_register_freeze
not_tested: No reading was delivered.
population: days of readings of an organisation, and organisations with enough manual readings
tests: touched points
touched_by: [met_interval_96, met_register_freeze]
reads:
  - int_metering_points_current
  - quality.open_findings
  - stg_marketing__customers
  - stg_metering__curves
  - stg_metering__meters
  - stg_metering__register_freezes
parameters: [last_digit_chi_square, last_digit_days, last_digit_readings, manual_share]
*/
-- tested
with points as (
    select distinct on (points.metering_point_no) points.metering_point_no, points.meter_asset_no, customers.org_no
    from staging.int_metering_points_current as points
    inner join staging.stg_marketing__customers as customers on points.account_no = customers.account_no
    order by points.metering_point_no, customers._raw_id desc
),

touched_dates as (
    select landed.reading_date
    from {{ touched_curves('staging.stg_metering__curves') }} as landed
    union
    select landed.reading_date
    from staging.stg_metering__register_freezes as landed
    where {{ is_new_or_open('landed', 'met_register_freeze') }}
    union
    select (open_findings.record_key ->> 'data_date')::date
    from quality.open_findings as open_findings
    where open_findings.rule_id = 'MET-30' and open_findings.record_key ->> 'data_date' is not null
),

collected as (
    select points.org_no, curves.reading_date, curves.collect_way_code
    from staging.stg_metering__curves as curves
    inner join points on curves.metering_point_no = points.metering_point_no
    where curves.reading_date = any (array(select touched_dates.reading_date from touched_dates))
    union all
    select points.org_no, registers.reading_date, registers.collect_way_code
    from staging.stg_metering__register_freezes as registers
    inner join points on registers.meter_asset_no = points.meter_asset_no
    where registers.reading_date = any (array(select touched_dates.reading_date from touched_dates))
),

shares as (
    select
        org_no,
        reading_date,
        count(*) as readings,
        count(*) filter (where collect_way_code = 'MANUAL') as manual_readings
    from collected
    group by org_no, reading_date
),

-- The last digit that the display shows.
digits as (
    select
        points.org_no,
        floor(registers.register_reading_kwh * 10::numeric ^ coalesce(meters.digits_dec, 0)) % 10 as last_digit,
        count(*) as readings
    from staging.stg_metering__register_freezes as registers
    inner join points on registers.meter_asset_no = points.meter_asset_no
    left join {{ one_each('staging.stg_metering__meters', 'meter_asset_no', 'digits_dec', 'max') }} as meters
        on registers.meter_asset_no = meters.meter_asset_no
    where
        registers.collect_way_code = 'MANUAL'
        and registers.register_reading_kwh >= 0
        and registers.reading_date > :business_date - :last_digit_days::integer
    group by 1, 2
),

biases as (
    select
        org_no,
        sum(readings) as readings,
        max(readings) as most_of_a_digit,
        10 * sum(readings * readings) / sum(readings) - sum(readings) as chi_square
    from digits
    group by org_no
)

select
    jsonb_build_object('org_no', shares.org_no, 'data_date', shares.reading_date) as record_key,
    shares.reading_date as business_date,
    shares.manual_readings || ' of ' || shares.readings || ' by hand' as observed,
    'at most ' || round(100 * :manual_share, 1) || ' %' as expected,
    shares.manual_readings > :manual_share * shares.readings as is_broken
from shares
union all
select
    jsonb_build_object('org_no', biases.org_no, 'digit', 'last') as record_key,
    :business_date as business_date,
    biases.most_of_a_digit || ' of ' || biases.readings || ' end in one digit, chi-square ' || round(biases.chi_square, 1) as observed,
    'at most ' || round(:last_digit_chi_square, 1) as expected,
    biases.chi_square > :last_digit_chi_square as is_broken
from biases
where biases.readings >= :last_digit_readings
-- violations
select
    {{ finding('collect_way', day='business_date', key='record_key', account=false) }},
    observed,
    expected
from tested
where is_broken
