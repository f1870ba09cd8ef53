"""The life of a finding: opened, seen, changed, waived, expired, fixed by delivery, and opened anew; its office and age."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from include.local import cli
from include.quality import findings
from include.quality.findings import STATES, Selection, note_rule_book
from include.quality.rules import load_rules
from include.quality.waivers import end_waiver, waive
from include.records.database import connect
from tests import databases

FIRST = date(2026, 7, 1)


class Gate:
    """Nights of one rule over one record: what it observes, or nothing where the record passes."""

    def __init__(self, url: str) -> None:
        self.url, self.nights = url, 0
        with connect(url) as connection:
            connection.execute(
                "insert into quality.rule_book values ('MET-01', 1, 'One meter.', 'mismatch', 'validity', 'warn', 'metering office',"
                " false, 'p')"
            )

    def night(self, observed: str | None) -> dict[str, int]:
        day = FIRST + timedelta(days=self.nights)
        self.nights += 1
        with connect(self.url) as connection:
            connection.execute("insert into quality.runs (business_date) values (%s)", (day,))
            connection.execute(
                "insert into quality.current_run values (true, %s, %s, 'gate', 0, '2026-06-01')"
                " on conflict (only_row) do update set run_id = excluded.run_id, business_date = excluded.business_date",
                (self.nights, day),
            )
            if observed:
                connection.execute(
                    "insert into quality.violations (run_id, rule_id, source_name, table_name, record_key, column_name, account_no,"
                    " observed, severity) values (%s, 'MET-01', 'metering', 'account x day', '{\"a\": 1}', 'x', 'A1', %s, 'warn')",
                    (self.nights, observed),
                )
            connection.execute(
                "insert into quality.findings_rechecked select %s, finding_id from quality.open_findings",
                (self.nights,),
            )
            findings.judge(connection, self.nights, 1)
            return findings.record_findings(connection, self.nights, 1)

    def told(self) -> list[tuple]:
        with connect(self.url) as connection:
            return connection.execute(
                "select finding_id, state, last_change, age_days, waiver_id, fixed_at is not null, office"
                " from quality.findings order by finding_id"
            ).fetchall()

    def selected(self) -> set[str]:
        with connect(self.url) as connection:
            return {
                state
                for state in STATES
                if connection.execute(
                    f"select 1 from quality.findings where {STATES[state]} and finding_id = 1"
                ).fetchone()
            }


@pytest.fixture
def gate(database: str) -> Gate:
    return Gate(database)


def test_a_finding_lives_from_its_opening_to_its_fix(gate: Gate):
    office = "metering office"
    assert gate.night("30") == {"opened": 1}
    assert gate.told() == [(1, "open", "opened", 0, None, False, office)]
    assert gate.night("30") == {"seen": 1}
    assert gate.told() == [(1, "open", "opened", 1, None, False, office)]
    assert gate.selected() == {"open", "all"}
    assert gate.night("40") == {"changed": 1}
    assert gate.night("40") == {"seen": 1}
    assert gate.told() == [(1, "open", "changed", 3, None, False, office)]
    assert gate.selected() == {"open", "changed", "all"}

    number = waive(gate.url, "MET-01", "account=A1", "the approver", "being replaced", FIRST + timedelta(days=5))
    assert gate.night("40") == {"waived": 1}
    assert gate.night("40") == {"waived": 1}
    assert gate.told() == [(1, "waived", "waived", 5, number, False, office)]
    assert gate.selected() == {"waived", "all"}
    assert gate.night("40") == {"expired": 1}
    assert gate.night("40") == {"seen": 1}
    assert gate.told() == [(1, "open", "expired", 7, None, False, office)]
    assert gate.selected() == {"open", "expired", "all"}

    assert gate.night(None) == {"fixed": 1}
    assert gate.night(None) == {}
    fixed = (1, "fixed", "fixed", 8, None, True, office)
    assert gate.told() == [fixed]
    assert gate.selected() == {"fixed", "all"}
    assert gate.night("30") == {"opened": 1}
    assert gate.told() == [fixed, (2, "open", "opened", 0, None, False, office)]


def test_a_finding_keeps_its_number_where_the_gate_of_its_first_night_is_repeated(gate: Gate):
    """What was said of it meanwhile stays with it."""
    gate.night("1")
    first = gate.told()
    for _ in range(2):
        with connect(gate.url) as connection:
            findings.judge(connection, gate.nights, 1)
            assert findings.record_findings(connection, gate.nights, 1) == {"opened": 1}
        assert gate.told() == first
    gate.night("2")
    assert [row[:3] for row in gate.told()] == [(first[0][0], "open", "changed")]


def test_a_finding_is_open_again_at_the_next_gate_after_its_waiver_was_ended(gate: Gate):
    assert gate.night("40") == {"opened": 1}
    number = waive(gate.url, "MET-01", "account=A1", "the approver", "being replaced", FIRST + timedelta(days=90))
    assert gate.night("40") == {"waived": 1}
    end_waiver(gate.url, number, "the approver", "it was not replaced")
    assert gate.selected() == {"waived", "all"}
    assert gate.night("40") == {"expired": 1}
    assert gate.selected() == {"open", "expired", "all"}


@pytest.mark.parametrize(
    ("selection", "fits"),
    [
        (Selection(), True),
        (Selection(rule="MET-01", source="metering", office="metering office", account="A1"), True),
        (Selection(rule="MET-02"), False),
        (Selection(source="marketing"), False),
        (Selection(office="marketing office"), False),
        (Selection(account="A2"), False),
        (Selection(account="' or true --"), False),
    ],
)
def test_a_selection_takes_what_all_its_parts_fit(gate: Gate, selection: Selection, fits: bool):
    gate.night("30")
    condition, values = selection.condition()
    with connect(gate.url) as connection:
        assert len(connection.execute(f"select 1 from quality.findings where {condition}", values).fetchall()) == fits


def test_the_command_filters_and_tells_office_and_age(gate: Gate, fresh_home, monkeypatch, capsys):
    databases.use(monkeypatch, gate.url)
    gate.night("30")
    gate.night("30")
    with connect(gate.url) as conn:
        note_rule_book(conn, load_rules(), date(2026, 11, 23))  # the other offices are known too
    for arguments, count in (
        ((), 1),
        (("--office", "metering office"), 1),
        (("--office", "contract office"), 0),
        (("--source", "metering"), 1),
        (("--account", "A1", "--rule", "MET-01"), 1),
        (("--account", "A2"), 0),
        (("--state", "changed"), 0),
        (("--state", "all"), 1),
    ):
        assert cli.main(["findings", "--json", *arguments]) == 0
        assert len(json.loads(capsys.readouterr().out)) == count, arguments
    assert cli.main(["findings", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["office"], found["age_days"], found["last_change"]) == ("metering office", 1, "opened")
    assert cli.main(["findings"]) == 0
    assert "metering office" in capsys.readouterr().out
