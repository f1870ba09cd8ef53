with months as (
    select * from {{ ref('dim_months') }}
),

compliance as (
    select * from {{ ref('int_notice_compliance') }}
    where is_key_account
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

measured as (
    select
        compliance.plan_no,
        compliance.account_no,
        months.month_start_date,
        accounts.org_no,
        compliance.plan_kind_code,
        compliance.plan_status_code,
        compliance.plan_version,
        compliance.planned_start_at,
        compliance.planned_end_at,
        compliance.n7d_at,
        compliance.n2d_at,
        compliance.n24h_at,
        compliance.n12h_at,
        compliance.n30m_at,
        compliance.channel_codes,
        compliance.last_delivered_at,
        compliance.ok_7d,
        compliance.ok_2d,
        compliance.ok_24h,
        compliance.ok_12h,
        compliance.ok_30m_phone,
        compliance.all_ok,
        compliance.required_notices,
        compliance.answered_notices,
        compliance.sent_notices,
        compliance.outdated_notices,
        compliance.is_counted,
        compliance.not_counted_reason_code,
        compliance.actual_start_at,
        compliance.meter_started_at,
        compliance.started_early_min
    from compliance
    inner join months
        on
            months.month_start_date <= compliance.planned_start_date
            and compliance.planned_start_date < months.next_month_start_date
    left join accounts on compliance.account_no = accounts.account_no
),

final as ({{ partial_rows('measured') }})

select * from final
