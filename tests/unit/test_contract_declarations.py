"""What the contracts declare beyond shape: read as written, complete for every table and column, and linted with line and choices."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from include.contracts import all_tables
from include.contracts.declarations import (
    Channel,
    Child,
    Equation,
    Expectation,
    Identity,
    Order,
    RecordIdentity,
    names_in,
    split,
)
from include.contracts.meanings import MEANINGS
from include.contracts.reading import shrinking
from include.local.lint.contracts import check_contracts
from tests.unit.test_lint import ROOT, change, copy

MARKETING = "include/contracts/marketing.odcs.yaml"


def test_every_table_and_column_has_a_name_in_english_and_chinese():
    named = [(table.name, table.name_en, table.name_zh) for table in all_tables().values()]
    named += [(f"{t.name}.{c.name}", c.name_en, c.name_zh) for t in all_tables().values() for c in t.columns]
    assert len(named) > 52 + 600
    chinese = {
        name for name, *names in named for text in names[1:] if any("\u4e00" <= sign <= "\u9fff" for sign in text)
    }
    english = {name for name, text, _ in named if text and text.isascii()}
    assert {name for name, *_ in named} == chinese == english
    account = all_tables()["mkt_customer"].column("cons_no")
    assert (account.name_en, account.name_zh) == ("Customer number", "户号")
    assert (all_tables()["mkt_bill"].name_en, all_tables()["mkt_bill"].name_zh) == ("Bills", "应收电费")


def test_every_column_has_a_meaning_and_every_meaning_a_column():
    used = Counter(column.meaning for table in all_tables().values() for column in table.columns)
    assert set(used) == set(MEANINGS)
    assert all_tables()["mkt_contact"].column("mobile").meaning == "mobile_number"


def test_every_number_and_day_has_a_plausible_range():
    without = {
        f"{table.name}.{column.name}"
        for table in all_tables().values()
        for column in table.scalar_columns
        if column.plausible == (None, None)
        and not column.allowed
        and column.physical_type.startswith(("numeric", "integer", "smallint", "date", "timestamptz"))
    }
    assert without == set()
    assert all_tables()["mkt_customer"].column("contract_cap_kva").plausible == ("0", "2000000")  # MKT-10 has the zero
    assert all_tables()["mkt_bill"].column("due_on").plausible == ("1990-01-01", "business_date + 5 years")


def test_what_an_archive_and_a_fact_declare_is_read():
    tables = all_tables()
    assert tables["mkt_customer"].in_force == ("open_date", "close_date")
    assert (tables["mkt_ticket"].fact_date, tables["mkt_customer"].fact_date) == ("accepted_at", None)
    assert tables["mkt_ticket"].record_identity == RecordIdentity(
        ("cons_no", "ticket_type", "sub_type"), time="accepted_at", within_minutes=10, corrects=("reopen_of",)
    )
    assert tables["mkt_ticket"].order == (
        Order(("accepted_at", "dispatched_at", "arrived_at", "restored_at", "closed_at"), rule="MKT-34"),
        Order(("accepted_at", "first_contact_at", "replied_at", "closed_at")),
        Order(("reopen_of.accepted_at", "accepted_at")),
    )
    assert tables["met_supply_outage"].order[0] == Order(("start_at", "end_at"), severity="quarantine")
    (peak,) = (e for e in tables["mkt_bill"].equations if e.name == "lines_peak")
    lines = Child("mkt_bill_line", "kwh_billed", (("rate", ("PEAK",)),))
    assert peak == Equation("lines_peak", "kwh_peak", "=", "lines", Decimal(1), "kWh", children=(("lines", lines),))
    assert tables["con_contract"].column("contract_no").identity == Identity(("cons_no",), "never")


def test_what_is_expected_is_read():
    (voltage,) = all_tables()["met_voltage_daily"].expected
    billing = ("mp_role", ("BILLING",))
    assert voltage == Expectation(
        what="voltage day of a phase",
        each="day",
        archive="met_measuring_point",
        by=(("mp_no", "mp_no"),),
        since="install_ts",
        until="remove_ts",
        channels=(
            Channel((("phase", ("A", "C")),), (billing, ("wiring", ("3P3W",)))),
            Channel((("phase", ("A", "B", "C")),), (billing, ("wiring", ("3P4W",)))),
        ),
        date="data_date",
        due_days=1,
    )
    assert all_tables()["mkt_contact"].expected[0].any_filled == ("mobile", "phone")


def test_only_tables_that_are_delivered_whole_can_shrink():
    shrink = {name for name, table in all_tables().items() if table.shrinking.shrinks}
    assert shrink == {"mkt_manager_assessment", "mkt_outage_affected", "mkt_penalty", "mkt_notification"}
    assert all(all_tables()[name].is_full_compared for name in shrink)
    own = shrinking({"pendingShare": 0.3, "blockShare": 0.8, "rows": 10})
    assert (own.shrinks, own.pending_share, own.block_share, own.rows) == (True, Decimal("0.3"), Decimal("0.8"), 10)


def test_a_row_without_its_grain_or_account_is_blocked_and_without_another_reference_goes_on():
    found = {(t.name, r.columns): r.on_unresolved for t in all_tables().values() for r in t.references}
    assert found["mkt_bill_line", ("bill_no",)] == "block"  # part of the key
    assert found["mkt_ticket", ("cons_no",)] == "block"  # the account
    assert found["mkt_ticket", ("reopen_of",)] == "withhold"
    assert found["mkt_bill", ("acct_no", "cons_no")] == "withhold"  # the bill goes on without its settlement account
    assert found["met_power_event", ("mp_no",)] == "block"  # an event of no point means nothing
    bill = all_tables()["mkt_bill"]
    assert [c for c in ("acct_no", "cons_no") if bill.column(c).is_withholdable] == ["acct_no"]


def test_keys_accounts_and_amounts_are_not_withheld_and_a_withheld_reference_has_a_column_for_it():
    for table in all_tables().values():
        accounts = {c for r in table.references if r.target_table == "mkt_customer" for c in r.columns}
        for column in table.columns:
            if column.is_withholdable:
                assert column.name not in {*table.key, *accounts}, (table.name, column.name)
                assert not column.is_amount, (table.name, column.name)
                assert column.name not in (table.in_force or ()), (table.name, column.name)
        for reference in table.references:
            if reference.on_unresolved == "withhold":
                assert any(table.column(c).is_withholdable for c in reference.columns), (table.name, reference.columns)


def test_sides_and_names_of_a_statement():
    assert split("a + b <= 2 * c") == {"left": "a + b", "relation": "<=", "right": "2 * c"}
    assert split("a >= b")["relation"] == ">="
    assert names_in("abs(kwh) + coalesce(bill_no.total, 0) / 2 + kwh") == ("kwh", "bill_no.total")
    with pytest.raises(ValueError, match="two sides"):
        split("a + b")


WRONG = [  # (in the contract of marketing, changed to, what is told, what is allowed)
    (
        "{property: meaning, value: email}",
        "{property: meaning, value: emial}",
        "mkt_contact.email has the unknown meaning emial",
        "email",
    ),
    (
        "{property: businessNameZh, value: 手机号码}",
        "{property: businessNameZh, value: Mobile}",
        "mkt_contact.mobile has no Chinese name",
        "customProperty businessNameZh in Chinese",
    ),
    (
        "{property: shrinks, value: true}",
        "{property: shrink, value: true}",
        "mkt_penalty has the unknown customProperty shrink; did you mean shrinks?",
        "shrinks",
    ),
    (
        "{property: renews, value: {auto_renew: ['true'], status: [EFFECTIVE]}}",
        "{property: renews, value: {auto_renewed: ['true'], status: [EFFECTIVE]}}",
        "renews of con_contract names auto_renewed, which is no column of con_contract",
        "auto_renew",
    ),
    ("keepsMonths, value: 13", "keepsMonths, value: 0", "keepsMonths of mkt_ticket is 0", "a number of months from 1"),
    (
        "{columns: [from_date, to_date], severity: quarantine}",
        "{columns: [from_date, until_date], severity: quarantine}",
        "order of mkt_penalty names until_date, which is no column of mkt_penalty",
        "to_date",
    ),
    (
        "{columns: [bill_no.due_on, from_date]}",
        "{columns: [bill_no.due, from_date]}",
        "order of mkt_penalty names bill_no.due, but due is no column of mkt_bill",
        "due_on",
    ),
    (
        "{columns: [bill_no.due_on, from_date]}",
        "{columns: [waived.due_on, from_date]}",
        "order of mkt_penalty names waived.due_on, but mkt_penalty.waived refers to no table",
        "bill_no",
    ),
    (
        "to_date - from_date + 1",
        "to_date - first_date + 1",
        "equation days of mkt_penalty names first_date",
        "from_date",
    ),
    ("late_days = to_date", "late_days to_date", "equation days of mkt_penalty: 'late_days to_date", ""),
    (
        "tolerance: 0, unit: days",
        "unit: days",
        "equation days of mkt_penalty has no tolerance",
        "tolerance and its unit",
    ),
    (
        "severity: quarantine}",
        "severity: blocks}",
        "severity in order of mkt_transformer is blocks",
        "warn, quarantine",
    ),
    (
        "archive: mkt_outage_affected",
        "archive: mkt_affected",
        "names mkt_affected, which is no table",
        "mkt_outage_affected",
    ),
    ("each: month", "each: months", "each in expected bill of a month of mkt_bill is months", "day, month, once"),
    ("anyFilled: [mobile, phone]", "anyFilled: [mobile, fax]", "names fax, which is no column of mkt_contact", "phone"),
    (
        "onUnresolved, value: withhold",
        "onUnresolved, value: hold",
        "onUnresolved of the relationship of mkt_bill",
        "withhold, block",
    ),
    (
        "agrees, value: [acct_no, bill_no]",
        "agrees, value: [acct_no, bil_no]",
        "names bil_no, which is no column",
        "bill_no",
    ),
    ("plausible, value: [1, 31]", "plausible, value: [1, end]", "plausible", "least"),
    (
        "corrects: [reopen_of]",
        "corrects: [reopened]",
        "recordIdentity of mkt_ticket names reopened, which is no column of mkt_ticket",
        "reopen_of",
    ),
    (
        "time: sent_at, withinMinutes: 10",
        "time: sent_at",
        "recordIdentity of mkt_outage_notice has a time without a limit",
        "time and withinMinutes",
    ),
    (
        "differsFrom: [submitter]",
        "differsFrom: [submiter]",
        "sharing of mkt_access_list.checker names submiter",
        "submitter",
    ),
    (
        "holder: [cons_no], atMost: 5, longerThan: 20",
        "atMost: 5, longerThan: 20",
        "sharing of mkt_manager_visit.summary has a holder without a limit, or a limit alone",
        "holder and atMost",
    ),
    (
        "rows: dimension, columns: [raw_score], least: 4",
        "rows: dimension, columns: [score], least: 4",
        "repeats of mkt_manager_assessment names score",
        "raw_score",
    ),
    (
        "minuteOfDay: end_at, share: 0.3",
        "minute: end_at, share: 0.3",
        "crowds of mkt_app_stage has the unknown key minute; did you mean minuteOfDay?",
        "minuteOfDay",
    ),
    ("minuteOfDay: end_at, share: 0.3", "share: 0.3", "crowds of mkt_app_stage has 0 marks", "minutesBetween"),
    (
        "since: src_updated_at, dueDays: 180",
        "since: src_updated_at",
        "the condition on qualified_on of mkt_access_list has a day without a limit",
        "since and dueDays",
    ),
    (
        "since: src_updated_at, dueDays: 180",
        "since: updated_at, dueDays: 180",
        "the condition on qualified_on of mkt_access_list names updated_at, which is no column",
        "src_updated_at",
    ),
    (
        "{column: result_text, is: filled, given: [done_on]}",
        "{column: result_text, is: filled, given: [done_on], until: done_on}",
        "conditions of mkt_inspection has the unknown key until",
        "since, dueDays",
    ),
    ("shared: within_payer", "shared: payer", "shared of mkt_customer.uscc is payer", "never, within_payer, always"),
]


@pytest.mark.parametrize(("old", "new", "told", "allowed"), WRONG, ids=[case[2] for case in WRONG])
def test_a_wrong_declaration_is_told_with_its_line_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, told: str, allowed: str
):
    copy(tmp_path, "include/contracts")
    path = tmp_path / (
        MARKETING
        if old in (ROOT / MARKETING).read_text(encoding="utf-8")
        else MARKETING.replace("marketing", "contract")
    )
    line = change(path, old, new)
    problem = check_contracts(tmp_path)[0]
    assert told in problem.what, problem
    assert allowed in problem.allowed, problem
    assert 0 <= line - problem.line <= 12, problem  # an entry of several lines is named by its first
