"""One zero lost in a settlement account, in a bill or in the account's own row: one finding, nothing wrong in the marts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.lab.simulator.editing import Editor
from tests.nights import Utility

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


@pytest.mark.parametrize(
    ("spoil", "found", "dependants"),
    [
        (lost_in_the_bill, ("mkt_bill", {"bill_no": BILL}, "acct_no", f"{LOST} / {ACCOUNT}"), (0, None, None)),
        (
            # 25 bills of October 2024 to October 2026, and the 48 payments of them
            lost_in_the_account,
            ("mkt_account", {"acct_no": SETTLEMENT, "cons_no": ACCOUNT}, "acct_no", "no such row"),
            (73, "48 mkt_payment, 25 mkt_bill", None),
        ),
    ],
    ids=["in_the_bill", "in_the_account"],
)
def test_a_lost_zero_is_one_finding_and_revenue_rank_and_energy_stay(clean_night: Utility, spoil, found, dependants):
    clean = clean_night.hashes()
    revenue, energy = clean_night.rows(REVENUE), clean_night.rows(ENERGY)

    clean_night.deliver(edit=spoil)
    clean_night.run()

    assert clean_night.rows(
        "select table_name, record_key, column_name, observed from quality.findings where state = 'open' and severity <> 'warn'"
    ) == [found]
    assert clean_night.rows(
        "select dependants, dependants_text, null from quality.findings where state = 'open' and severity <> 'warn'"
    ) == [dependants]
    assert clean_night.rows("select count(*) from quality.withheld") == [(0,)]
    assert clean_night.rows(REVENUE) == revenue
    assert clean_night.rows(ENERGY) == energy

    clean_night.deliver()
    clean_night.run()
    assert clean_night.hashes() == clean
    assert clean_night.rows("select count(*) from quality.open_findings where severity <> 'warn'") == [(0,)]
    assert clean_night.rows("select count(*) from quality.withheld_now") == [(0,)]
    assert Decimal("5147510.49") in {row[-1] for row in clean_night.rows(ENERGY)}
