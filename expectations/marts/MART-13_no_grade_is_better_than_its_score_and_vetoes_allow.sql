/*
sentence: A vetoed account has grade C, an account with overdue bills has no A, and a grade never exceeds that of its score, except for new customers.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A grade that is too good takes a risk that nobody decided on.
source: "requirement S34: grade, score and vetoes; seed credit_bands"
subject: account x month
population: months of an account with a grade
reads: [candidate.mart_credit_risk]
*/
-- tested
select
    {{ mart_row('mart_credit_risk', 'credit', ['account_no', 'month_start_date']) }},
    credit.grade,
    case
        when credit.veto_codes <> '' then 'C'
        when credit.is_new_customer then 'B'
        when credit.overdue_cny > 0 then greatest(credit.grade_by_score, 'B')
        else credit.grade_by_score
    end as best_grade
from candidate.mart_credit_risk as credit
where credit.grade is not null
-- violations
select
    {{ finding('grade', day='month_start_date', key='record_key') }},
    grade as observed,
    best_grade || ' at best' as expected
from tested
where grade < best_grade
