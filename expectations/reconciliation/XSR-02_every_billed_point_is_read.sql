/*
sentence: A metering point that is billed for a month has at least {received_share} of the readings expected in it; days before collection began count as read.
axis: missing
dimension: completeness
severity: quarantine
owner: data quality office
reason: Energy that is billed without readings is an estimate or a mistake.
source: project rule
at_stake: Billed energy x share of the slots that were not received; yuan at the bill's average price.
likely_wrong: "Undetermined: a dead terminal and a bill without a meter leave the same trace."
subject: metering point x month
about: mkt_mp
not_tested: No more than a tenth of any billed month lies in the days since collection began.
population: months of a billing point, as far as collection can have seen them
tests: window
reads:
  - int_curves_latest
  - int_metering_points_billed
  - quality.open_findings
  - stg_marketing__bill_lines
  - stg_marketing__bills
  - stg_marketing__metering_points
compares: [metering.met_interval_96.mp_no, marketing.mkt_bill_line.mp_no]
parameters: [months, received_share, MET-02.slots]
*/
-- tested
with billed as (
    select distinct
        lines.metering_point_no,
        bills.account_no,
        bills.bill_month,
        bills.read_from,
        bills.read_to
    from staging.stg_marketing__bill_lines as lines
    inner join staging.stg_marketing__bills as bills on lines.bill_no = bills.bill_no
    where
        bills.orig_bill_no is null
        and bills.status_code <> 'REVERSED'
        and (
            bills.bill_month >= {{ month_of(':business_date') }} - make_interval(months => :months::integer)
            or jsonb_build_object('mp_no', lines.metering_point_no, 'month', to_char(bills.bill_month, 'YYYYMM')) in (
                select open_findings.record_key
                from quality.open_findings as open_findings
                where open_findings.rule_id = 'XSR-02'
            )
        )
),

-- The days of the month on which the point is in use.
expected_days as (
    select
        billed.metering_point_no,
        billed.bill_month,
        min(billed.account_no) as account_no,
        days.reading_date::date as reading_date
    from billed
    cross join lateral generate_series(
        billed.read_from::timestamp,
        least(billed.read_to, billed.bill_month + interval '1 month', :business_date + 1) - interval '1 day',
        interval '1 day'
    ) as days (reading_date)
    inner join staging.stg_marketing__metering_points as points
        on
            billed.metering_point_no = points.metering_point_no
            and points.role_code = 'BILLING'
            and {{ is_valid_on('points', 'days.reading_date') }}
    group by billed.metering_point_no, billed.bill_month, days.reading_date
),

-- One day lost of three that collection saw is no third of the month: what lies before them is not known to be missing.
counted as (
    select
        expected_days.metering_point_no,
        expected_days.bill_month,
        min(expected_days.account_no) as account_no,
        count(*) * :slots::integer as expected_slots,
        count(*) filter (where expected_days.reading_date >= run.collection_start) * :slots::integer as collectable_slots,
        coalesce(sum(curves.collected_slots) filter (where expected_days.reading_date >= run.collection_start), 0) as received_slots,
        (1 - :received_share) * count(*) * :slots::integer as missing_limit
    from expected_days
    cross join quality.current_run as run
    left join staging.int_curves_latest as curves
        on
            {{ is_curve_of('curves', 'expected_days', 'E+') }}
            and curves.reading_date = any (array(select distinct days.reading_date from expected_days as days))
    group by expected_days.metering_point_no, expected_days.bill_month
)

select
    jsonb_build_object('mp_no', counted.metering_point_no, 'month', to_char(counted.bill_month, 'YYYYMM')) as record_key,
    counted.account_no,
    counted.bill_month,
    counted.expected_slots,
    counted.collectable_slots - counted.received_slots as missing_slots,
    counted.missing_limit,
    amounts.point_kwh,
    amounts.point_cny
from counted
left join staging.int_metering_points_billed as amounts
    on counted.metering_point_no = amounts.metering_point_no and counted.bill_month = amounts.bill_month
where counted.collectable_slots > counted.missing_limit
-- violations
select
    {{ finding('mp_no', day='bill_month', key='record_key') }},
    missing_slots || ' of ' || expected_slots || ' slots missing' as observed,
    'at most ' || trunc(missing_limit) || ' missing' as expected,
    round(point_kwh * missing_slots / expected_slots, 4) as energy_at_stake_kwh,
    round(point_cny * missing_slots / expected_slots, 2) as amount_at_stake_cny
from tested
where missing_slots > missing_limit
