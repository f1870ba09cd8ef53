"""One zero lost in a settlement account, in a bill or in the account's own row: one finding, nothing wrong in the marts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.lab.simulator.editing import Editor
from tests.nights import Utility

pytestmark = pytest.mark.timeout(900)  # up to three nights

ACCOUNT, SETTLEMENT, LOST = "0310000001", "8000000001", "800000001"
BILL = "2026100310000001"  # its newest, of October 2026: 7,152,684.0 kWh, 5,147,510.49 yuan
REVENUE = (
    "select account_no, ranking_month, revenue_12m_cny, energy_12m_kwh, revenue_rank, is_key_account, key_reason"
    " from marts.mart_key_account_ranking order by 1, 2"
)
ENERGY = (
    "select account_no, as_of_date, is_key_account, revenue_12m_cny, revenue_rank, month_energy_kwh, reading_coverage,"
    " last_bill_month, last_billed_cny from marts.mart_key_account_360 order by 1, 2"
)


def lost_in_the_bill(editor: Editor) -> None:
    (row,) = editor.find("mkt_bill", bill_no=BILL)
    editor.set("mkt_bill", row, acct_no=LOST)


def lost_in_the_account(editor: Editor) -> None:
    (row,) = editor.find("mkt_account", acct_no=SETTLEMENT)
    editor.set("mkt_account", row, acct_no=LOST)


# spoiled record, what is found of it, its dependants, months whose bills are partial; a night corrects what the one before lost
NIGHTS = [
    (lost_in_the_bill, ("mkt_bill", {"bill_no": BILL}, "acct_no", f"{LOST} / {ACCOUNT}"), (0, None), ["2026-10"]),
    (
        # 25 bills of October 2024 to October 2026, and the 48 payments of them
        lost_in_the_account,
        ("mkt_account", {"acct_no": SETTLEMENT, "cons_no": ACCOUNT}, "acct_no", "no such row"),
        (73, "48 mkt_payment, 129,240,965.82 yuan; 25 mkt_bill, 128,800,644.00 yuan"),
        [f"2025-{month}" for month in (10, 11, 12)] + [f"2026-{month:02}" for month in range(1, 11)],
    ),
]


def test_a_lost_zero_is_one_finding_and_revenue_rank_and_energy_stay(clean_night: Utility):
    clean = clean_night.hashes()
    revenue, energy = clean_night.rows(REVENUE), clean_night.rows(ENERGY)

    for spoil, found, dependants, months in NIGHTS:
        clean_night.deliver(edit=spoil)
        clean_night.run()
        _only_this_is_told(clean_night, found, dependants)
        assert clean_night.rows(REVENUE) == revenue
        assert clean_night.rows(ENERGY) == energy
        _payment_and_credit_are_partial(clean_night, months)

    clean_night.deliver()
    clean_night.run()
    assert clean_night.hashes() == clean
    assert clean_night.rows("select count(*) from quality.open_findings where severity <> 'warn'") == [(0,)]
    assert clean_night.rows("select count(*) from quality.withheld_now") == [(0,)]
    assert Decimal("5147510.49") in {row[-1] for row in clean_night.rows(ENERGY)}


def _only_this_is_told(clean_night: Utility, found: tuple, dependants: tuple) -> None:
    assert clean_night.rows(
        "select table_name, record_key, column_name, observed from quality.findings where state = 'open' and severity <> 'warn'"
    ) == [found]
    assert clean_night.rows(
        "select dependants, dependants_text from quality.findings where state = 'open' and severity <> 'warn'"
    ) == [dependants]
    assert clean_night.rows("select count(*) from quality.withheld") == [(0,)]


PAYMENT = [
    "channel_code",
    "days_late",
    "paid_at",
    "partial_count",
    "penalty_accruing_cny",
    "penalty_charged_cny",
    "penalty_due_cny",
    "penalty_gap_cny",
]
PAYMENT += ["penalty_waived_cny", "unpaid_cny"]
MARTS = "select table_name from information_schema.columns where table_schema = 'marts' and column_name = 'is_partial'"


def _payment_and_credit_are_partial(night: Utility, months: list[str]) -> None:
    """Of this account alone, and of these bills; what is partial is empty, not zero. Its other measures are complete."""
    assert night.rows(
        "select account_no, array_agg(to_char(bill_month, 'YYYY-MM') order by bill_month), array_agg(distinct partial_measures),"
        " count(unpaid_cny), count(paid_at), count(days_late), count(total_charge_cny), sum(withheld_rows)"
        " from marts.mart_payment_behaviour where is_partial group by 1"
    ) == [(ACCOUNT, months, [PAYMENT], 0, 0, 0, len(months), 0)]
    credit = [
        "credit_score",
        "days_sales_outstanding",
        "exposure_cny",
        "grade",
        "grade_by_score",
        "oldest_overdue_days",
    ]
    credit += ["overdue_cny", "payment_score", "pd_bucket", "penalty_open_cny", "unpaid_cny", "veto_codes"]
    assert night.rows(
        "select distinct account_no, partial_measures, num_nonnulls(unpaid_cny, overdue_cny, payment_score, credit_score, grade),"
        " volume_score is not null, expected_bill_cny > 0 from marts.mart_credit_risk where is_partial"
    ) == [(ACCOUNT, credit, 0, True, True)]
    assert night.rows(
        "select account_no, partial_measures, num_nonnulls(unpaid_cny, overdue_cny, credit_score, credit_grade, churn_score)"
        " from marts.mart_key_account_360 where is_partial and as_of_date = '2026-11-22'"
    ) == [(ACCOUNT, ["churn_driver_1", "churn_score", "credit_grade", "credit_score", "overdue_cny", "unpaid_cny"], 0)]
    partial = {
        name for (name,) in night.rows(MARTS) if night.rows(f"select 1 from marts.{name} where is_partial limit 1")
    }
    assert {name for name in partial if not name.endswith("_at_close")} == {
        "mart_payment_behaviour",
        "mart_credit_risk",
        "mart_key_account_360",
        "mart_churn_risk",
        "mart_manager_performance",
        "fct_customer_credit",  # of the company that owns the account
    }


def without_the_newest_bill(editor: Editor) -> None:
    editor.delete("mkt_bill", editor.find("mkt_bill", bill_no=BILL))
    editor.delete("mkt_bill_line", editor.find("mkt_bill_line", bill_no=BILL))
    editor.delete("mkt_payment", editor.find("mkt_payment", bill_no=BILL))


def without_two_months_of_bills(editor: Editor) -> None:
    for month in ("202609", "202610"):  # 40 of about 500: one in twelve
        editor.delete("mkt_bill", editor.find("mkt_bill", bill_month=month))


RANKED = (
    "select account_no, revenue_12m_cny, energy_12m_kwh, is_partial, partial_measures @> '{revenue_12m_cny,revenue_rank}'"
    " from marts.mart_key_account_ranking where ranking_month = '2026-11-01' order by 1"
)


def test_a_bill_that_is_absent_makes_the_sums_of_its_account_a_lower_bound(clean_night: Utility):
    complete = {account: sums for account, *sums in clean_night.rows(RANKED)}
    assert not any(is_partial for *_, is_partial, _ in complete.values())

    clean_night.deliver(edit=without_the_newest_bill)
    clean_night.run()

    assert ("EXP-07", "mkt_bill", ACCOUNT) in clean_night.rows(
        "select rule_id, table_name, account_no from quality.findings where state = 'open'"
    )
    lacking = {account: sums for account, *sums in clean_night.rows(RANKED)}
    revenue, energy, is_partial, is_named = lacking[ACCOUNT]
    assert (is_partial, is_named) == (True, True)
    assert complete[ACCOUNT][0] - revenue == Decimal("5147510.49")
    assert complete[ACCOUNT][1] - energy == Decimal("7152684.0")


def test_bills_that_wait_to_be_withdrawn_still_count_and_every_sum_says_so(clean_night: Utility):
    complete = {account: sums for account, *sums in clean_night.rows(RANKED)}

    clean_night.deliver(edit=without_two_months_of_bills)
    clean_night.run()

    assert clean_night.rows(
        "select rule_id, severity from quality.findings where state = 'open' and rule_id = 'PIP-06'"
    ) == [("PIP-06", "warn")]
    assert {account: sums for account, *sums in clean_night.rows(RANKED)} == {
        account: [revenue, energy, True, True] for account, (revenue, energy, *_) in complete.items()
    }


def test_on_a_clean_night_every_mart_is_complete(clean_night: Utility):
    marts = [name for (name,) in clean_night.rows(MARTS) if not name.endswith("_at_close")]
    assert len(marts) == 30
    for name in marts:
        named = " or partial_measures <> '{}'" if name.startswith("mart_") else ""  # a sum of accounts names none
        assert clean_night.rows(f"select 1 from marts.{name} where is_partial{named} limit 1") == []
