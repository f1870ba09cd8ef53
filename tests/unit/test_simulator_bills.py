"""Bills of the simulated utility follow from registers and rules, payments from bills."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from include.lab.simulator.simulation import Simulation
from tests.simulated import DAY, first_bills, frame, simulated


@pytest.fixture(scope="module")
def utility() -> Simulation:
    return simulated(DAY, accounts=20, days=12, seed=3)


@pytest.fixture(scope="module")
def large() -> Simulation:
    return simulated(date(2026, 11, 23), accounts=200, days=3, seed=1)


def test_a_bill_follows_from_its_registers_to_the_last_fen(utility):
    bills, lines = first_bills(utility), frame(utility, "mkt_bill_line")
    lines = lines[lines.bill_no.isin(bills.bill_no)]
    money = ["basic_charge", "energy_charge", "fund_charge", "line_loss_charge", "system_op_charge", "pf_adj_charge"]
    assert (bills[money].sum(axis=1) == bills.total_charge).all()
    per_bill = lines.groupby("bill_no")[["kwh_billed", "charge"]].sum().loc[bills.bill_no]
    assert (per_bill.kwh_billed.to_numpy() == bills.kwh_total.to_numpy()).all()
    assert (per_bill.charge.to_numpy() == bills.energy_charge.to_numpy()).all()
    multiplier = lines.multiplier.to_numpy()
    read = (lines.curr_reading.astype(float) - lines.prev_reading.astype(float)) * multiplier
    assert np.allclose(read, lines.kwh_read.astype(float), atol=2e-4 * multiplier.max())
    registers = frame(utility, "met_register_freeze")
    monthly = registers[registers.freeze_kind.eq("MONTH") & registers.energy_kind.eq("ACTIVE")]
    reading = monthly.assign(day=monthly.freeze_ts.dt.date).set_index(["meter_asset_no", "rate", "day"]).reading
    dated = lines.merge(bills[["bill_no", "read_from", "read_to"]], on="bill_no")
    for day, column in (("read_from", "prev_reading"), ("read_to", "curr_reading")):
        keys = pd.MultiIndex.from_frame(dated[["meter_asset_no", "rate", day]])
        assert (reading[keys].to_numpy() == dated[column].to_numpy()).all()


def test_the_basic_charge_and_the_power_factor_adjustment_follow_the_rules(utility):
    bills = first_bills(utility)
    charged = bills[bills.basic_mode != "NONE"]
    product = charged.basic_qty.astype(float) * charged.basic_price.astype(float) - charged.md_discount_charge.astype(
        float
    )
    assert (product - charged.basic_charge.astype(float)).abs().max() <= 0.0051
    adjusted = bills.pf_adj_base.astype(float) * bills.pf_adj_pct.astype(float) / 100
    assert (adjusted - bills.pf_adj_charge.astype(float)).abs().max() <= 0.0051
    active, reactive = bills.kwh_total.astype(float), bills.kvarh_fwd.astype(float) + bills.kvarh_rev.astype(float)
    factor = active / np.hypot(active, reactive)
    assert (factor - bills.pf_actual.astype(float)).abs().max() <= 1.01e-4
    assert bills.pf_adj_pct.astype(float).between(-1.30, 12).all()


def test_bills_of_an_account_follow_on_without_gaps(utility):
    bills = first_bills(utility).sort_values(["cons_no", "bill_month"])
    assert (bills.groupby("cons_no").size() == 25).all()
    before = bills.groupby("cons_no").read_to.shift()
    assert (before.isna() | (before == bills.read_from)).all()


def test_payments_match_bills_and_penalties(utility):
    paid = frame(utility, "mkt_payment").groupby("bill_no").amount.sum()
    charged = frame(utility, "mkt_penalty").query("not waived")
    penalty = charged.groupby("bill_no").penalty_yuan.sum()
    bills = frame(utility, "mkt_bill").set_index("bill_no")
    for bill_no, status in bills.status.items():
        owed = bills.total_charge[bill_no] + penalty.get(bill_no, 0)
        assert {
            "PAID": paid.get(bill_no) == owed,
            "PARTIAL": paid.get(bill_no, 0) < owed,
            "ISSUED": paid.get(bill_no, 0) == 0,
            "REVERSED": paid.get(bill_no, 0) == 0,
        }[status]


def test_a_bill_that_was_wrong_is_taken_back_and_billed_anew(large):
    bills = frame(large, "mkt_bill").set_index("bill_no")
    lines, payments = frame(large, "mkt_bill_line"), frame(large, "mkt_payment")
    again = bills[bills.orig_bill_no.notna()]
    assert len(again) >= 8
    for original, pair in again.groupby("orig_bill_no"):
        minus, new = pair.loc[f"{original}R"], pair.loc[f"{original}N"]
        assert (bills.status[original], minus.status) == ("REVERSED", "REVERSED")
        assert bills.total_charge[original] + minus.total_charge == 0
        assert bills.kwh_total[original] == new.kwh_total == -minus.kwh_total
        assert new.total_charge == bills.total_charge[original]
        kwh = lines.groupby("bill_no").kwh_billed.sum()
        assert (kwh[f"{original}R"], kwh[f"{original}N"]) == (minus.kwh_total, new.kwh_total)
        assert payments[payments.bill_no == original].amount.sum() == 0


def test_a_customer_that_left_may_owe_its_last_bill(large):
    customers, bills = frame(large, "mkt_customer"), frame(large, "mkt_bill")
    closed = customers[customers.status == "CLOSED"].set_index("cons_no").close_date
    last = bills[bills.cons_no.map(closed) == bills.read_to]
    assert (last.status != "PAID").sum() >= 1
    assert (last.status == "PAID").sum() >= 1


def test_revenue_is_skewed(utility):
    revenue = (
        frame(utility, "mkt_bill").groupby("cons_no").total_charge.sum().astype(float).sort_values(ascending=False)
    )
    assert revenue.iloc[:4].sum() > 0.6 * revenue.sum()
