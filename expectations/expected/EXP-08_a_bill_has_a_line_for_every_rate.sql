/*
sentence: A bill has a line for every rate of its metering points.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: The energy of a line that is absent is in no sum by rate or metering point.
source: project rule; the rates are those in which the bill states energy
subject: bill
about: mkt_bill_line
not_tested: No bill was delivered.
population: bills of the newest months, and older ones that arrived or lack a line
reads: [int_expected_things]
*/
-- tested
with lines as (
    {{ expected_of('EXP-08') }}
)

select
    lines.record_key,
    lines.account_no,
    lines.period_date,
    count(*) as expected_count,
    string_agg(lines.channel_code, ', ' order by lines.channel_code) filter (where lines.is_absent) as absent_lines,
    bool_or(lines.is_absent) as is_absent
from lines
group by lines.record_key, lines.account_no, lines.period_date
-- violations
{{ absent('rate', "'no line of ' || absent_lines", "expected_count || ' lines'") }}
