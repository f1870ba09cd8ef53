"""Typed verdicts of the rules on partial measures: what is withheld of account A, and which measures of its row then lack it.

Worked out by hand from what each mart says of its measures: what they need and over which months. The row is of November
2026 (of 5 November, where a mart has days) and its keys are A, so that months -12 to 0 are November 2025 to November 2026
and months -12 to -1 end with October. A case is `table[.column] [day] [identifier=value] | measures`; no measure: nothing lacks.
Measures that look at all accounts (`over: all`) are not the row's own. The numbers of months are typed, not read.
"""

from __future__ import annotations

from dataclasses import dataclass

OTHER_TABLE = "mkt_access_list"  # of which no measure is made
TARIFF_TERMS = (
    "tariff_code basic_mode_code is_tou charged_capacity_kva contract_capacity_kva contract_demand_kw"
    " contract_demand_basis_code power_factor_standard_code break_even_demand_per_kva"
)
TARIFF_AMOUNTS = (
    "power_factor_adjustment_base_cny pf_cost_cny capacity_charge_cny contract_demand_charge_cny actual_demand_charge_cny"
    " demand_discount_cny basic_charge_cny energy_charge_cny fund_charge_cny other_charge_cny total_charge_cny"
    " single_part_total_cny capacity_total_cny contract_demand_total_cny actual_demand_total_cny advised_mode_code saving_cny"
    " average_price_cny_per_kwh shift_value_cny"
)
CHURN = (
    "leaves_agency_score leaves_agency_drivers leaves_grid_score leaves_grid_drivers"
    " returns_score returns_drivers churn_score churn_driver_1 churn_driver_1_points churn_driver_2 churn_driver_2_points churn_driver_3"
    " churn_driver_3_points"
)
CREDIT = (
    "payment_score unpaid_cny overdue_cny oldest_overdue_days penalty_open_cny days_sales_outstanding"
    " credit_score grade_by_score veto_codes grade pd_bucket exposure_cny"
)
PAYMENT = (
    "paid_at days_late partial_count channel_code unpaid_cny penalty_due_cny penalty_charged_cny penalty_waived_cny"
    " penalty_accruing_cny penalty_gap_cny"
)
AS_BILLED = (
    "billed_loss_kwh power_factor_as_billed power_factor_as_billed_adjustment_pct power_factor_adjustment_cny"
    " power_factor_billed_cny power_factor_difference_cny power_factor_difference_code"
)
ADVICE = "usage_basis_code advice_rank quantity saving_kwh saving_cny saving_share calculation"
QUARTER = (
    "advice_status_code current_mode_code advised_mode_code quantity_kva known_months"
    " saving_cny saving_low_cny saving_high_cny"
)
PROFILE = "profile_days no_cluster_code load_profile_24h distance_to_typical anomaly_score is_anomalous"
OPEN = "unpaid_cny overdue_cny credit_score credit_grade"
ONE_COMPARED = "customer_voltage_ok_pct supply_voltage_ok_pct voltage_gap"
CHECKED = "register_kwh sum_check_diff_kwh sum_check_limit_kwh is_sum_check_ok"
NOTICES = (
    "n7d_at n2d_at n24h_at n12h_at n30m_at channel_codes last_delivered_at ok_7d ok_2d ok_24h ok_12h ok_30m_phone all_ok"
    " required_notices answered_notices sent_notices outdated_notices is_counted not_counted_reason_code"
)
VOLTAGE = (
    "voltage_ok_pct voltage_class_a_pct voltage_class_b_pct voltage_class_c_pct voltage_class_d_pct voltage_unbalance_pct"
    " voltage_monitored_minutes voltage_over_minutes voltage_under_minutes voltage_target_distance is_voltage_target_met"
)

TYPED = {
    "mart_churn_risk": f"""
        mkt_ticket            | complaints_12m {CHURN}
        mkt_ticket 2024-10-31 |
        mkt_ticket 2024-11-01 | {CHURN}
        mkt_ticket 2025-10-31 | {CHURN}
        mkt_ticket 2025-11-01 | complaints_12m {CHURN}
        mkt_ticket 2026-11-30 | complaints_12m {CHURN}
        mkt_ticket 2026-12-01 |""",
    "mart_complaint_vs_quality": """
        mkt_ticket 2026-10-31 |
        mkt_ticket 2026-11-01 | outage_complaints quality_complaints fault_reports
        mkt_ticket 2026-11-30 | outage_complaints quality_complaints fault_reports
        mkt_ticket 2026-12-01 | outage_complaints_next_month quality_complaints_next_month
        mkt_ticket 2026-12-31 | outage_complaints_next_month quality_complaints_next_month
        mkt_ticket 2027-01-01 |
        mkt_survey            |
        mkt_ticket | outage_complaints quality_complaints fault_reports outage_complaints_next_month quality_complaints_next_month""",
    "mart_connection_cycle_time": """
        mkt_manager_visit                     | manager_touches
        mkt_manager_visit 2001-01-01          | manager_touches
        mkt_manager_visit 2026-11-30          | manager_touches
        mkt_manager_visit 2026-12-01          |
        mkt_manager_visit app_no=A            | manager_touches
        mkt_manager_visit 2026-12-01 app_no=A | manager_touches
        mkt_manager_visit app_no=B            |
        mkt_manager_visit 2026-11-30 app_no=B |""",
    "mart_connection_funnel": """
        con_contract                     | t_agreement is_agreement_of_contract
        con_contract 2001-01-01          | t_agreement is_agreement_of_contract
        con_contract 2026-11-30          | t_agreement is_agreement_of_contract
        con_contract 2026-12-01          |
        con_contract app_no=A            | t_agreement is_agreement_of_contract
        con_contract 2026-12-01 app_no=A | t_agreement is_agreement_of_contract
        con_contract app_no=B            |
        mkt_survey.app_no                | satisfaction_pct
        mkt_survey.cons_no               |""",
    "mart_contract_health": """
        mkt_bill                              | is_expired_billed
        mkt_bill 2026-08-31                   |
        mkt_bill 2026-09-01                   | is_expired_billed
        mkt_bill 2026-11-30                   | is_expired_billed
        mkt_bill 2026-12-01                   |
        con_amendment contract_no=A           | last_amendment_date amendment_lag_days missing_attachment_cnt
        con_amendment 2026-12-01 contract_no=A | last_amendment_date amendment_lag_days missing_attachment_cnt
        con_amendment contract_no=B           |""",
    "mart_credit_risk": f"""
        mkt_bill            | {CREDIT} volume_score expected_bill_cny
        mkt_bill 2024-10-31 | {CREDIT}
        mkt_bill 2024-11-01 | {CREDIT} volume_score
        mkt_bill 2025-10-31 | {CREDIT} volume_score
        mkt_bill 2025-11-01 | {CREDIT} volume_score expected_bill_cny
        mkt_bill 2026-11-30 | {CREDIT} volume_score expected_bill_cny
        mkt_bill 2026-12-01 |""",
    "mart_energy_structure": f"""
        mkt_bill                   | {AS_BILLED}
        mkt_bill 2026-10-31        |
        mkt_bill 2026-11-01        | {AS_BILLED}
        mkt_bill 2026-11-30        | {AS_BILLED}
        mkt_bill 2026-12-01        |
        mkt_transformer 2001-01-01 | transformer_load_rate""",
    "mart_high_reliability_plan": """
        met_pq_sample            | dip_events_12m
        met_pq_sample 2025-10-31 |
        met_pq_sample 2025-11-01 | dip_events_12m
        met_pq_sample 2026-11-30 | dip_events_12m
        met_pq_sample 2026-12-01 |""",
    "mart_key_account_360": f"""
        mkt_bill            | {OPEN} churn_score churn_driver_1 revenue_12m_cny last_bill_month last_billed_cny
        mkt_bill 2024-10-31 | {OPEN}
        mkt_bill 2024-11-01 | {OPEN} churn_score churn_driver_1
        mkt_bill 2025-10-31 | {OPEN} churn_score churn_driver_1
        mkt_bill 2025-11-01 | {OPEN} churn_score churn_driver_1 revenue_12m_cny
        mkt_bill 2026-09-30 | {OPEN} churn_score churn_driver_1 revenue_12m_cny
        mkt_bill 2026-10-01 | {OPEN} churn_score churn_driver_1 revenue_12m_cny last_bill_month last_billed_cny
        mkt_bill 2026-10-31 | {OPEN} churn_score churn_driver_1 revenue_12m_cny last_bill_month last_billed_cny
        mkt_bill 2026-11-01 | {OPEN} churn_score churn_driver_1 last_bill_month last_billed_cny
        mkt_bill 2026-11-30 | {OPEN} churn_score churn_driver_1 last_bill_month last_billed_cny
        mkt_bill 2026-12-01 |""",
    "mart_key_account_ranking": """
        mkt_bill            | revenue_12m_cny energy_12m_kwh gross_margin_12m_cny max_demand_kw load_rate
        mkt_bill 2025-10-31 |
        mkt_bill 2025-11-01 | revenue_12m_cny energy_12m_kwh gross_margin_12m_cny max_demand_kw load_rate
        mkt_bill 2026-10-31 | revenue_12m_cny energy_12m_kwh gross_margin_12m_cny max_demand_kw load_rate
        mkt_bill 2026-11-01 |
        con_contract 2001-01-01 | contract_capacity_kva is_large_capacity is_key_account key_reason
        con_contract 2026-12-01 |
        mkt_transformer 2001-01-01 | running_capacity_kva load_rate
        mkt_transformer 2026-12-01 |""",
    "mart_load_cluster": f"""
        met_interval_96            | {PROFILE}
        met_interval_96 2026-10-31 |
        met_interval_96 2026-11-01 | {PROFILE}
        met_interval_96 2026-11-30 | {PROFILE}
        met_interval_96 2026-12-01 |""",
    "mart_metering_integrity": f"""
        met_register_freeze            | {CHECKED}
        met_register_freeze 2026-11-04 |
        met_register_freeze 2026-11-05 | {CHECKED}
        met_register_freeze 2026-11-06 |
        met_register_freeze mp_no=A    | {CHECKED}
        met_register_freeze mp_no=B    |
        mkt_bill_line 2026-10-31       |
        mkt_bill_line 2026-11-01       | billed_multiplier is_multiplier_equal
        mkt_bill_line 2026-11-30       | billed_multiplier is_multiplier_equal
        mkt_bill_line 2026-12-01       |""",
    "mart_outage_notice_compliance": f"""
        mkt_outage_notice                     | {NOTICES}
        met_event_alarm 2026-10-31            |
        met_event_alarm 2026-11-01            | meter_started_at started_early_min
        met_event_alarm 2026-11-30            | meter_started_at started_early_min
        met_event_alarm 2026-12-01            |
        mkt_outage_notice plan_no=A           | {NOTICES}
        mkt_outage_notice 2026-12-01 plan_no=A | {NOTICES}
        mkt_outage_notice plan_no=B           |""",
    "mart_payment_behaviour": f"""
        mkt_penalty                     | {PAYMENT}
        mkt_penalty 2001-01-01          | {PAYMENT}
        mkt_penalty 2026-11-30          | {PAYMENT}
        mkt_penalty 2026-12-01          |
        mkt_penalty bill_no=A           | {PAYMENT}
        mkt_penalty 2026-12-01 bill_no=A | {PAYMENT}
        mkt_penalty bill_no=B           |
        mkt_payment.bill_no             | {PAYMENT}
        mkt_payment.amount              |""",
    "mart_safety_inspection": """
        mkt_corrective_action                     | corrective_actions corrective_action_days
        mkt_corrective_action 2001-01-01          | corrective_actions corrective_action_days
        mkt_corrective_action 2026-11-30          | corrective_actions corrective_action_days
        mkt_corrective_action 2026-12-01          |
        mkt_corrective_action insp_no=A           | corrective_actions corrective_action_days
        mkt_corrective_action 2026-12-01 insp_no=A | corrective_actions corrective_action_days
        mkt_corrective_action insp_no=B           |
        mkt_hazard                                | is_open_major_hazard""",
    "mart_advice": f"""
        mkt_bill 2025-11-30        |
        mkt_bill 2025-12-01        | {QUARTER}
        mkt_bill 2026-11-30        | {QUARTER}
        mkt_bill 2026-12-01        |
        mkt_transformer 2025-12-01 | {QUARTER}""",
    "mart_saving_advice": f"""
        mkt_transformer            | {ADVICE}
        mkt_transformer 2026-10-31 |
        mkt_transformer 2026-11-01 | {ADVICE}
        mkt_bill 2026-11-30        | {ADVICE}
        mkt_bill 2026-12-01        |""",
    "mart_tariff_advice": f"""
        con_contract            | {TARIFF_TERMS} {TARIFF_AMOUNTS}
        con_contract 2001-01-01 | {TARIFF_TERMS}
        con_contract 2026-10-31 | {TARIFF_TERMS}
        con_contract 2026-11-01 | {TARIFF_TERMS} {TARIFF_AMOUNTS}
        con_contract 2026-11-30 | {TARIFF_TERMS} {TARIFF_AMOUNTS}
        con_contract 2026-12-01 |""",
    "mart_ticket_sla": """
        mkt_survey                       | satisfaction_score
        mkt_survey 2001-01-01            | satisfaction_score
        mkt_survey 2026-11-30            | satisfaction_score
        mkt_survey 2026-12-01            |
        mkt_survey ticket_no=A           | satisfaction_score
        mkt_survey 2026-12-01 ticket_no=A | satisfaction_score
        mkt_survey ticket_no=B           |
        mkt_ticket.reopen_of             | reopen_cnt
        mkt_ticket.closed_ts             |""",
    "mart_two_rates": f"""
        met_supply_voltage            | {VOLTAGE}
        met_supply_voltage 2026-10-31 |
        met_supply_voltage 2026-11-01 | {VOLTAGE}
        met_supply_voltage 2026-11-30 | {VOLTAGE}
        met_supply_voltage 2026-12-01 |
        met_supply_outage 2025-10-31  |
        met_supply_outage 2025-11-01  | cemi_share celid_single_share celid_total_share
        met_supply_outage 2026-10-31  | cemi_share celid_single_share celid_total_share""",
    "mart_two_rates_gap": f"""
        met_supply_voltage            | {ONE_COMPARED}
        met_supply_voltage 2026-10-31 |
        met_supply_voltage 2026-11-01 | {ONE_COMPARED}
        met_supply_voltage 2026-11-30 | {ONE_COMPARED}
        met_supply_voltage 2026-12-01 |""",
}


@dataclass(frozen=True)
class Lack:
    """What is withheld of account A, and the measures that lack it."""

    name: str
    table: str
    column: str
    day: str | None
    identifiers: dict[str, str]
    measures: frozenset[str]


def lacks(mart: str) -> list[Lack]:
    """The typed cases of a mart, and two that hold for each: a table, and a column of a needed table, that no measure needs."""
    cases = [_lack(line) for line in TYPED[mart].strip().splitlines()]
    needed = next(case.table for case in cases if case.measures)
    return [*cases, _lack(f"{OTHER_TABLE} |"), _lack(f"{needed}.remark |")]


def _lack(line: str) -> Lack:
    what, measures = line.split("|")
    part, *given = what.split()
    table, _, column = part.partition(".")
    identifiers = dict(one.split("=") for one in given if "=" in one)
    day = next((one for one in given if "=" not in one), None)
    return Lack(" ".join(what.split()), table, column, day, identifiers, frozenset(measures.split()))
