"""How findings are held against what the second hand planted: typed records and findings, no database."""

from __future__ import annotations

import pytest
from rich.console import Console

from include.lab.bench import second_hand
from include.lab.second_planter.judge import Alarm, Finding, alarms, figures, judge
from include.lab.second_planter.kinds import Kind, Planted, Unusual

BILL = Kind(
    "due-early",
    "M5",
    "mkt_bill",
    ("due_on",),
    ("mismatch",),
    "Due before it was issued.",
    "the bill before",
    "none",
    lambda desk, kind: None,
    others=("mkt_account.acct_no",),
    near=(("cons_no",),),
)
GONE = Kind("gone", "M2", "mkt_contact", (), ("missing",), "No contact.", "others", "none", lambda desk, kind: None)
CURVE = Kind("shape", "M8", "met_interval_96", ("v1",), ("arbitrary",), "A copy.", "days", "none", lambda d, k: None)
PLANTED = Planted(BILL, {"bill_no": "B1"}, ({"cons_no": "0310000001"},), spared=({"bill_no": "B2"},))


def verdict(*findings: tuple, planted: Planted = PLANTED):
    return judge([Finding.of(*finding) for finding in findings], [planted])[0]


def test_a_finding_of_the_record_and_its_column_is_found_and_right():
    said = verdict(("MKT-99", "mismatch", "warn", "mkt_bill", {"bill_no": "B1"}, "due_on", "2026-01-01"))
    assert (said.rules, said.is_right, said.beside) == (("MKT-99",), True, ())


def test_nothing_found_is_missed():
    assert not verdict().is_found


def test_another_record_is_not_this_one():
    assert not verdict(("R", "mismatch", "warn", "mkt_bill", {"bill_no": "B3"}, "due_on")).is_found
    assert not verdict(("R", "mismatch", "warn", "mkt_payment", {"bill_no": "B1"}, "amount")).is_found


def test_what_another_defect_throws_upon_the_record_is_no_find():
    assert not verdict(("R", "mismatch", "warn", "mkt_bill", {"bill_no": "B1"}, "kwh_total", "12 kWh")).is_found


def test_a_column_named_in_the_words_counts():
    assert verdict(("R", "mismatch", "warn", "mkt_bill", {"bill_no": "B1"}, "issued_on", "after due_on")).is_right


def test_the_right_column_for_a_wrong_reason_is_found_and_not_right():
    said = verdict(("R", "arbitrary", "warn", "mkt_bill", {"bill_no": "B1"}, "due_on"))
    assert (said.is_found, said.is_right) == (True, False)


def test_a_coarser_key_must_explain_and_the_other_side_may():
    account = {"cons_no": "0310000001"}
    assert verdict(("R", "mismatch", "warn", "mkt_account", account, "acct_no")).is_right
    assert not verdict(("R", "arbitrary", "warn", "mkt_account", account, "acct_no")).is_found
    assert not verdict(("R", "mismatch", "warn", "mkt_account", account, "tax_no")).is_found


def test_staged_names_are_the_same_columns():
    assert verdict(
        ("R", "mismatch", "warn", "mkt_account", {"cons_no": "0310000001"}, "settlement_account_no")
    ).is_right


def test_an_absent_record_is_found_by_what_names_its_key_as_missing():
    planted = Planted(GONE, {"cons_no": "C1", "contact_role": "LEGAL"}, ({"cons_no": "C1"},))
    expected = {"what": "contact", "key": "C1", "period": None}
    assert verdict(("M2", "missing", "warn", "expected", expected, None), planted=planted).is_right
    assert not verdict(("M2", "mismatch", "warn", "mkt_customer", {"cons_no": "C1"}, "addr"), planted=planted).is_found


def test_a_table_is_named_by_a_finding_whose_key_it_is():
    planted = Planted(GONE, {"table_name": "mkt_contact"}, ({"table_name": "mkt_contact"},))
    said = ("P", "missing", "block", "mkt_contact", {"table": "mkt_contact"}, None, "92 of 183 rows")
    assert verdict(said, planted=planted).is_right
    dangling = ("R", "missing", "warn", "mkt_account", {"cons_no": "C1"}, "cons_no", "not in mkt_contact")
    assert not verdict(dangling, planted=planted).is_found
    assert not verdict(("P", "mismatch", *said[2:]), planted=planted).is_found
    assert not verdict((*said[:4], {"table": "mkt_ticket"}, None), planted=planted).is_found


def test_any_slot_names_a_curve_and_a_part_of_its_key_is_coarser():
    key = {"mp_no": "P1", "data_date": "2026-11-01", "data_type": "E+", "phase": "T", "version": 1}
    planted = Planted(CURVE, key)
    assert verdict(("R", "arbitrary", "warn", "met_interval_96", key, "v40"), planted=planted).is_right
    part = {"mp_no": "P1", "data_date": "2026-11-01"}
    assert verdict(("R", "arbitrary", "warn", "met_interval_96", part, "v1"), planted=planted).is_right
    other_day = {"mp_no": "P1", "data_date": "2026-11-02"}
    assert not verdict(("R", "arbitrary", "warn", "met_interval_96", other_day, "v1"), planted=planted).is_found


def test_instants_are_compared_as_instants():
    key = {"mp_no": "P1", "sampled_at": "2026-11-01T08:00:00+08:00"}
    planted = Planted(CURVE, key)
    utc = {"mp_no": "P1", "sampled_at": "2026-11-01T00:00:00+00:00"}
    assert verdict(("R", "arbitrary", "warn", "met_interval_96", utc, "v1"), planted=planted).is_right


def test_a_neighbour_named_for_the_same_column_counts_against_the_class():
    said = verdict(
        ("R", "mismatch", "warn", "mkt_bill", {"bill_no": "B2"}, "due_on"),
        ("R", "mismatch", "warn", "mkt_bill", {"bill_no": "B2"}, "kwh_total"),
    )
    assert said.beside == ("R due_on",)
    (figure,) = figures([said])
    assert (figure.hand, figure.records, figure.found, figure.right, figure.stray) == ("second", 1, 0, 0, 1)
    assert figure.recall == 0.0


def test_a_false_alarm_is_told_by_its_kind():
    short = Unusual("short", "mkt_contact", ("mobile",), "words", "reason", lambda desk, kind: None)
    planted = [Planted(short, {"cons_no": "C1", "contact_role": "LEGAL"})]
    findings = [
        Finding.of("A", "arbitrary", "warn", "mkt_contact", {"cons_no": "C1", "contact_role": "LEGAL"}, "mobile"),
        Finding.of("B", "arbitrary", "info", "mkt_contact", {"cons_no": "C1", "contact_role": "LEGAL"}, "mobile"),
        Finding.of("C", "arbitrary", "block", "mkt_bill", {"bill_no": "B9"}, "due_on"),
    ]
    assert [(a.kind, a.rule_id, a.severity) for a in alarms(findings, planted)] == [
        ("short", "A", "warn"),
        (None, "C", "block"),
    ]


@pytest.fixture
def cell() -> second_hand.Cell:
    found = verdict(("R", "mismatch", "warn", "mkt_bill", {"bill_no": "B1"}, "due_on"))
    others = judge([], [Planted(BILL, {"bill_no": f"B{n}"}) for n in range(3, 7)])
    return second_hand.cell_of(7, [found, *others], {"short": 5}, [Alarm("short", "A", "warn", "mkt_contact", "C1")])


def test_a_cell_says_what_falls_short(cell):
    assert cell.shortfalls() == [
        "second hand, seed 7: 1 of 5 records found; at least 95% are wanted",
        "second hand, seed 7: recall of class due-early is 0.200; at least 0.8 is wanted",
        "second hand, seed 7: 1 of warn by A on unusual but valid data, kind short",
    ]
    assert [code for code, _ in cell.missed] == ["due-early"] * 4


def test_a_cell_is_printed_with_recall_by_class(cell, monkeypatch, capsys):
    monkeypatch.setattr(second_hand, "kinds", lambda: (BILL,))
    second_hand.print_cells([cell], Console(width=120))
    printed = capsys.readouterr().out
    assert "due-early" in printed
    assert "M5: 1 classes, 1 of 5 records found (0.200), 1 explained rightly" in printed
    assert "short: 1 of warn by A (5 records)" in printed
