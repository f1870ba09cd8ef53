/*
sentence: A plan counts as fully notified exactly where every required notice was given, and every row that counts has a verdict.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A row that counts without a verdict is in the denominator and in neither part of the share.
source: requirement S23
subject: outage plan x account
population: key accounts affected by an outage plan
reads: [candidate.mart_outage_notice_compliance]
*/
-- tested
select
    {{ mart_row('mart_outage_notice_compliance', 'notices', ['plan_no', 'account_no']) }},
    notices.month_start_date,
    notices.is_counted,
    notices.all_ok,
    notices.answered_notices,
    notices.required_notices,
    num_nonnulls(notices.n7d_at, notices.n2d_at, notices.n24h_at, notices.n12h_at, notices.n30m_at) as instants
from candidate.mart_outage_notice_compliance as notices
-- violations
select
    {{ finding('all_ok', day='month_start_date', key='record_key') }},
    coalesce(all_ok::text, 'no verdict') || ', ' || answered_notices || ' of ' || required_notices as observed,
    instants || ' of ' || required_notices || ' given' as expected
from tested
where
    (is_counted and all_ok is null)
    or coalesce(all_ok, false) <> (answered_notices = required_notices)
    or answered_notices <> instants
