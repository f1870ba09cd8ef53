with months as (
    select * from {{ ref('dim_months') }}
),

inspections as (
    select * from {{ ref('fct_inspections') }}
),

hazards as (
    select * from {{ ref('fct_hazards') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

actions as (
    select * from {{ ref('fct_corrective_actions') }}
    where case_kind_code = 'INSPECTION'
),

-- An inspection is due once its date has passed; done by that date it is on time, done late or not at all it is not.
due as (
    select
        inspections.*,
        accounts.org_no,
        months.month_start_date,
        inspections.due_date <= {{ business_date() }} as is_due,
        coalesce(inspections.done_date <= inspections.due_date, false) as is_on_time,
        greatest(coalesce(inspections.done_date, {{ business_date() }}) - inspections.due_date, 0) as overdue_days
    from inspections
    inner join months
        on months.month_start_date <= inspections.due_date and inspections.due_date < months.next_month_start_date
    left join accounts on inspections.account_no = accounts.account_no
),

coverage as (
    select
        org_no,
        month_start_date,
        (count(*) filter (where is_on_time)::numeric / count(*) * 100) as coverage_pct
    from due
    where is_due
    group by org_no, month_start_date
),

acted as (
    select
        case_no as inspection_no,
        count(*)::integer as corrective_actions,
        max(closure_days) as corrective_action_days
    from actions
    group by case_no
),

measured as (
    select
        due.inspection_no,
        (row_number() over (partition by due.inspection_no order by hazards.hazard_no))::integer as finding_no,
        due.account_no,
        due.org_no,
        due.month_start_date as due_month,
        due.kind_code,
        due.due_date as due_on,
        due.done_date as done_on,
        due.is_due,
        due.is_on_time,
        due.overdue_days,
        due.is_customer_signed,
        due.is_protection_setting_ok,
        hazards.hazard_no,
        hazards.hazard_level_code as hazard_level,
        hazards.hazard_text as hazard_desc,
        hazards.is_reported_to_authority,
        hazards.rectification_due_date as rectify_due,
        hazards.rectified_date as rectified_on,
        -- S26 asks to "remove hazards": what failed its recheck is not removed, and is overdue until it is
        case
            when hazards.rectification_due_date is not null
                then greatest(coalesce(hazards.removed_date, {{ business_date() }}) - hazards.rectification_due_date, 0)
        end as rectify_overdue_days,
        hazards.recheck_result_code as recheck_result,
        coalesce(
            hazards.hazard_level_code = 'MAJOR' and hazards.removed_date is null, false
        ) as is_open_major_hazard,
        coalesce(acted.corrective_actions, 0) as corrective_actions,
        acted.corrective_action_days,
        coverage.coverage_pct::numeric(8, 4) as coverage_pct
    from due
    left join hazards on due.inspection_no = hazards.inspection_no
    left join acted on due.inspection_no = acted.inspection_no
    left join coverage
        on due.org_no is not distinct from coverage.org_no and due.month_start_date = coverage.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
