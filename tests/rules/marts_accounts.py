"""Stand-ins for the rules on payment behaviour, credit, churn and service tiers."""

GOOD = [
    """create table candidate.mart_payment_behaviour as
    select account_no, bill_no, issued_date, total_charge_cny from staging.stg_marketing__bills where account_no is not null""",
    """create table candidate.mart_credit_risk as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    false as is_new_customer, 'A'::text as grade_by_score, ''::text as veto_codes, 'A'::text as grade, 0::numeric as overdue_cny,
    100::numeric as unpaid_cny, 2.5::numeric as penalty_open_cny, 80::numeric as expected_bill_cny, 30::numeric as deposit_cny,
    152.5::numeric as exposure_cny
    union all select 'N', '2026-11-01', true, 'C', '', 'B', 0, 0, 0, 0, 0, 0
    union all select 'V', '2026-11-01', false, 'A', 'THEFT', 'C', 7, 7, 0, 0, 0, 7""",
    """create table candidate.mart_churn_risk as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    31::numeric as churn_score, 18::numeric as churn_driver_1_points, 6::numeric as churn_driver_2_points,
    4::numeric as churn_driver_3_points, '{}'::text[] as partial_measures
    union all select 'B', '2026-11-01', 0, null, null, null, '{}'""",
    """create table candidate.mart_service_resource_balance as
    select tiers.tier_code, months.month_start_date, months.revenue_cny * tiers.share as revenue_cny, tiers.share as share_of_revenue,
        tiers.share as share_of_service_hours, tiers.share as share_of_visits, '{}'::text[] as partial_measures
    from (values ('T1', 0.75), ('T3', 0.25)) as tiers (tier_code, share)
    cross join (
        select date_trunc('month', issued_date::timestamp)::date as month_start_date, sum(total_charge_cny) as revenue_cny
        from staging.stg_marketing__bills
        inner join staging.stg_marketing__customers using (account_no)
        group by 1
    ) as months""",
]
RULES = ("MART-11", "MART-12", "MART-13", "MART-14", "MART-15", "MART-16")
