/*
sentence: The energy of each rate of a bill is the sum of its lines of that rate within 0.5 %.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Energy in another rate has another price.
source: catalogue XSR-18; the lines are held to the register by XSR-17
subject: mkt_bill
not_tested: No bill has energy by rate.
*/
-- tested
select
    bills._raw_id as raw_id,
    bills.account_no,
    bills.bill_month,
    parts.column_name,
    parts.part_kwh,
    sum(lines.billed_kwh) as lines_kwh,
    quality.parameter('XSR-17', 'relative', :business_date) as relative
from staging.stg_marketing__bills as bills
cross join lateral (
    values
    ('kwh_sharp', 'SHARP', bills.sharp_kwh),
    ('kwh_peak', 'PEAK', bills.peak_kwh),
    ('kwh_flat', 'FLAT', bills.flat_kwh),
    ('kwh_valley', 'VALLEY', bills.valley_kwh),
    ('kwh_deep', 'DEEP', bills.deep_kwh)
) as parts (column_name, rate_code, part_kwh)
inner join staging.stg_marketing__bill_lines as lines on bills.bill_no = lines.bill_no and parts.rate_code = lines.rate_code
where parts.part_kwh is not null
group by bills._raw_id, bills.account_no, bills.bill_month, parts.column_name, parts.part_kwh
-- violations
select
    raw_id,
    account_no,
    bill_month as business_date,
    column_name,
    part_kwh || ' kWh' as observed,
    lines_kwh || ' kWh in its lines' as expected,
    abs(part_kwh - lines_kwh) as energy_at_stake_kwh
from tested
where abs(part_kwh - lines_kwh) > relative * abs(lines_kwh)
