"""Stand-ins for the rules on notices, the two rates, their gap and complaints."""

MONTHS = "date_trunc('month', (plans.planned_start_at at time zone 'Asia/Shanghai'))::date"
GOOD = [
    f"""create table candidate.mart_outage_notice_compliance as
    select distinct affected.plan_no, affected.account_no, {MONTHS} as month_start_date, true as is_counted, true as all_ok,
        4 as answered_notices, 4 as required_notices, plans.planned_start_at as n7d_at, plans.planned_start_at as n2d_at,
        null::timestamptz as n24h_at,
        plans.planned_start_at as n12h_at, plans.planned_start_at as n30m_at
    from staging.stg_marketing__outage_affected_accounts as affected
    inner join staging.stg_marketing__outage_plans as plans on affected.plan_no = plans.plan_no
    left join staging.int_key_accounts as known on affected.account_no = known.account_no
    left join staging.int_key_accounts_ranked_by_month as ranked
        on affected.account_no = ranked.account_no and ranked.ranking_month = {MONTHS}
    where plans.kind_code in ('PLANNED', 'TEMPORARY') and coalesce(ranked.is_key_account, known.is_key_account, false)""",
    """create table candidate.mart_two_rates as
    select told.*, 'CUSTOMER'::text as side_code, date '2026-11-01' as month_start_date, '3101'::text as org_no, 99.9::numeric as rs_pct,
        99.95::numeric as rs_2_pct, 99.9::numeric as rs_3_pct, 3::numeric as aihc_h, 1::numeric as aihc_prearranged_h,
        2::numeric as aihc_fault_h, 720::numeric as period_hours, 1::numeric as aitc, 0.5::numeric as aitc_prearranged,
        0.5::numeric as aitc_fault, 0.999::numeric as asai, 0.5::numeric as cemi_share, 0.1::numeric as celid_single_share,
        0.2::numeric as celid_total_share, 98::numeric as voltage_ok_pct
    from (values
        ('ACCOUNT', 'A', 1, 1, 10.333333::numeric), ('ACCOUNT', 'B', 1, 0, 10.333333), ('ORGANISATION', '3101', 2, 1, 20.666667)
    ) as told (entity_kind_code, entity_no, nt, customer_interruptions, customer_minutes)""",
    """create table candidate.mart_two_rates_gap as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    1 as outages_only_meter, 1 as outages_only_supply, 0 as matched_outages""",
    """create table warehouse.dim_months as select date '2026-11-01' as month_start_date, date '2026-11-01' as collected_from_date,
    date '2026-11-06' as known_until_date, true as has_collection""",
    """create table warehouse.fct_outages_matched as select 'A'::text as account_no, told.* from (values
        (date '2026-11-01', 'METER_ONLY'), ('2026-11-05', 'SUPPLY_ONLY'), ('2026-11-05', 'PATH_LOST'), ('2026-11-06', 'METER_ONLY')
    ) as told (started_date, match_code)""",
    """create table candidate.mart_complaint_vs_quality as
    select customers.account_no, date '2026-10-01' as month_start_date, count(tickets.ticket_no)::integer as outage_complaints,
        0 as quality_complaints
    from staging.stg_marketing__customers as customers
    left join staging.stg_marketing__tickets as tickets
        on customers.account_no = tickets.account_no and tickets.ticket_type_code = 'COMPLAINT'
            and tickets.ticket_subtype_code in ('OUTAGE', 'POWER_QUALITY')
            and tickets.accepted_at >= '2026-10-01 00:00+08' and tickets.accepted_at < '2026-11-01 00:00+08'
    group by customers.account_no""",
]
RULES = ("MART-30", "MART-31", "MART-32", "MART-33", "MART-34", "MART-35")
