/*
sentence: A vetoed account has grade C, an account with overdue bills has no A, and no grade but that of a new customer is better than its score's.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A grade that is too good takes a risk that nobody decided on.
source: formulas 3.9, credit; local credit code
subject: account x month
population: months of an account with a grade
reads: [candidate.mart_credit_risk]
*/
-- tested
select
    jsonb_build_object(
        'mart', 'mart_credit_risk', 'account_no', credit.account_no, 'month_start_date', credit.month_start_date
    ) as record_key,
    credit.account_no,
    credit.month_start_date,
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
    record_key,
    account_no,
    month_start_date as business_date,
    'grade' as column_name,
    grade as observed,
    best_grade || ' at best' as expected
from tested
where grade < best_grade
