/*
sentence: The utility's, the customer's and the suspended working days of an application are those of its stages, and with the hand-overs they are its total.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A day that belongs to nobody, or to two, makes the promised 22 or 32 working days kept or broken by mistake.
source: "requirement S31: the clock stops while the customer's time runs"
subject: application
population: applications
reads: [candidate.mart_connection_funnel, warehouse.fct_application_stages]
*/
-- tested
with stages as (
    select
        application_no,
        sum(utility_working_days) filter (where stage_code <> 'ARCHIVE') as utility_working_days,
        sum(customer_working_days) as customer_working_days,
        sum(suspended_working_days) filter (where stage_code <> 'ARCHIVE') as suspended_working_days
    from warehouse.fct_application_stages
    group by application_no
)

select
    jsonb_build_object('mart', 'mart_connection_funnel', 'application_no', funnel.application_no) as record_key,
    funnel.account_no,
    funnel.shown_month,
    funnel.utility_working_days + funnel.customer_working_days + funnel.suspended_working_days as funnel_days,
    stages.utility_working_days + stages.customer_working_days + stages.suspended_working_days as stage_days,
    funnel.handover_working_days,
    funnel.total_working_days
from candidate.mart_connection_funnel as funnel
left join stages on funnel.application_no = stages.application_no
where 'utility_working_days' <> all (funnel.partial_measures)
-- violations
select
    {{ finding('utility_working_days', day='shown_month', key='record_key') }},
    funnel_days::text as observed,
    stage_days::text as expected
from tested
where funnel_days is distinct from stage_days or funnel_days + handover_working_days <> total_working_days
