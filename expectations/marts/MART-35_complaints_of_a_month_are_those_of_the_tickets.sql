/*
sentence: The complaints about interruptions and quality of a month are the tickets of these kinds.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A complaint that is lost hides the quality that it is about.
source: "requirement S29: complaints about outage and quality"
subject: month
population: months
reads: [candidate.mart_complaint_vs_quality, stg_marketing__tickets]
*/
-- tested
with told as (
    select
        month_start_date,
        sum(coalesce(outage_complaints, 0) + coalesce(quality_complaints, 0)) as complaints
    from candidate.mart_complaint_vs_quality
    group by month_start_date
)

select
    {{ mart_row('mart_complaint_vs_quality', 'told', ['month_start_date']) }},
    told.complaints,
    count(distinct tickets.ticket_no) as tickets
from told
left join staging.stg_marketing__tickets as tickets
    on told.month_start_date <= {{ local_date('tickets.accepted_at') }}
        and {{ local_date('tickets.accepted_at') }} < {{ next_month('told.month_start_date') }}
        and tickets.ticket_type_code = 'COMPLAINT'
        and tickets.ticket_subtype_code in ('OUTAGE', 'POWER_QUALITY')
        and exists (
            select 1
            from candidate.mart_complaint_vs_quality as rows_of_account
            where rows_of_account.account_no = tickets.account_no and rows_of_account.month_start_date = told.month_start_date
        )
group by told.month_start_date, told.complaints
-- violations
{{ values_that_differ('outage_complaints', 'complaints', 'tickets', 'complaints', 'tickets', day='month_start_date') }}
