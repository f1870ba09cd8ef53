-- A line for every rate of the points of a bill: the rates in which the bill states energy, or the total register of a point
-- without time-of-use prices. A point whose prices changed within the period may have lines of either kind.
with bills as (
    select * from {{ ref('stg_marketing__bills') }}
),

lines as (
    select * from {{ ref('stg_marketing__bill_lines') }}
),

points as (
    select * from {{ ref('int_metering_points_as_of') }}
    where role_code = 'BILLING' and is_installed
),

tariffs as (
    select * from {{ ref('stg_marketing__tariff_assignments') }}
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name = 'mkt_bill_line' and superseded_by is null
),

findings as (
    select * from {{ source('quality', 'findings') }}
    where rule_id = 'EXP-08' and state <> 'fixed'
),

night as (
    select
        current_run.business_date,
        {{ last_load_of_nights_before('current_run.business_date') }} as last_load_id,
        {{ month_of('current_run.business_date') }} - make_interval(
            months => {{ rule_parameter('EXP', 'line_months', 'current_run.business_date') }}::integer
        ) as first_month
    from {{ source('quality', 'current_run') }} as current_run
),

judged as (
    select
        bills.*,
        bills.bill_month >= night.first_month as is_whole
    from bills
    cross join night
    where
        bills.bill_month >= night.first_month
        or bills._load_id > night.last_load_id
        or bills.bill_no in (select findings.record_key ->> 'bill_no' from findings)
),

points_billed as (
    select distinct
        judged.bill_no,
        points.metering_point_no
    from judged
    inner join points
        on
            judged.account_no = points.account_no
            and points.valid_from < judged.read_to
            and (points.valid_to is null or points.valid_to > judged.read_from)
),

prices as (
    select
        points_billed.bill_no,
        points_billed.metering_point_no,
        bool_or(tariffs.is_tou) as is_tou
    from points_billed
    inner join judged on points_billed.bill_no = judged.bill_no
    left join tariffs
        on
            points_billed.metering_point_no = tariffs.metering_point_no
            and judged.account_no = tariffs.account_no
            and tariffs.valid_from < judged.read_to
            and (tariffs.valid_to is null or tariffs.valid_to > judged.read_from)
    group by points_billed.bill_no, points_billed.metering_point_no
    having bool_or(tariffs.is_tou) is not distinct from bool_and(tariffs.is_tou)
),

rates as (
    select
        judged.bill_no,
        stated.rate_code
    from judged
    cross join lateral (
        values
        ('SHARP', judged.sharp_kwh),
        ('PEAK', judged.peak_kwh),
        ('FLAT', judged.flat_kwh),
        ('VALLEY', judged.valley_kwh),
        ('DEEP', judged.deep_kwh),
        (
            'T', case
                when num_nonnulls(judged.sharp_kwh, judged.peak_kwh, judged.flat_kwh, judged.valley_kwh, judged.deep_kwh) = 0
                    then judged.billed_kwh
            end
        )
    ) as stated (rate_code, stated_kwh)
    where stated.stated_kwh is not null
),

expected as (
    select
        prices.bill_no,
        prices.metering_point_no,
        rates.rate_code
    from prices
    inner join rates on prices.bill_no = rates.bill_no
    where prices.is_tou is distinct from false
    union all
    select
        bill_no,
        metering_point_no,
        'T'
    from prices
    where not is_tou
),

arrived as (
    select
        bill_no,
        metering_point_no,
        rate_code
    from lines
    union
    select
        btrim(row_text ->> 'bill_no'),
        btrim(row_text ->> 'mp_no'),
        row_text ->> 'rate'
    from rejected
),

final as (
    select
        'bill line' as what_code,
        expected.bill_no as owner_no,
        judged.account_no,
        {{ channel_code(['expected.metering_point_no', 'expected.rate_code']) }} as channel_code,
        jsonb_build_object('what', 'bill line', 'bill_no', expected.bill_no) as record_key,
        judged.bill_month as period_date,
        coalesce(judged.issued_date, judged.read_to) as since_date,
        judged.is_whole,
        arrived.bill_no is not null as is_arrived
    from expected
    inner join judged on expected.bill_no = judged.bill_no
    left join arrived
        on
            expected.bill_no = arrived.bill_no
            and expected.metering_point_no = arrived.metering_point_no
            and expected.rate_code = arrived.rate_code
)

select * from final
