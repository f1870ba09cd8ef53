"""A form that must be refused stops the night it comes in, as a file of the source itself does. Landing and gate 1 alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.errors import GateBlocked
from include.quality import gate
from include.quality.base_rules import load_base_rules
from include.quality.waivers import waive
from include.records import runs
from include.records.warehouse import Warehouse
from tests.landing import DAY, Utility, csv_text, new_utility

TABLE = "mkt_payment"
RULE = f"ARR-{TABLE}"
FORM = "U310199MAR_20260115.csv"


@pytest.fixture
def utility(database: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    """A marketing source that delivers the table each night, and a gate that has its arrival rule alone: it reads no staging."""
    utility = new_utility(database, tmp_path, monkeypatch)
    utility.source, utility.folder = "marketing", tmp_path / "marketing"
    for day in ("20260115", "20260116"):
        utility.write(TABLE, f"{TABLE}_{day}.csv", [{"pay_no": f"P{day}"}])
    one_rule(monkeypatch, TABLE)
    monkeypatch.setattr(gate, "count_staged_rows", lambda *_: None)
    monkeypatch.setattr(gate.expected, "note", lambda *_: None)
    return utility


def one_rule(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    (rule,) = (rule for rule in load_base_rules() if rule.id == f"ARR-{table}")
    monkeypatch.setattr(gate, "rules_of", lambda number: [rule])


def hand_in(utility: Utility, content: str | bytes | None, name: str = FORM, table: str = TABLE) -> None:
    """Hands a form in; None takes it out of the folder."""
    forms = Utility(utility.url, utility.folder.parent / "forms")
    path = forms.write(table, name, content or "")
    if content is None:
        path.unlink()


def judge(utility: Utility, day=DAY) -> None:
    utility.land(day)
    with runs.alone(utility.url) as holder:
        run = runs.begin(holder, day)
    gate.check_staged_data(Warehouse(utility.url), run)


def result(utility: Utility) -> list[tuple]:
    """Of the last run: records tested and failed by the arrival rule, and its verdict."""
    return utility.query(
        "select tested_rows, failed_rows, verdict from quality.rule_results order by run_id desc limit 1"
    )


def findings(utility: Utility) -> list[tuple]:
    return utility.query(
        "select state, severity, office, table_name, observed from quality.findings order by finding_id"
    )


def refused(utility: Utility, day=DAY) -> str:
    with pytest.raises(GateBlocked) as blocked:
        judge(utility, day)
    assert blocked.value.exit_code == 1
    return str(blocked.value)


def test_a_refused_form_blocks_until_it_is_waived_or_corrected(utility):
    judge(utility)
    assert (result(utility), findings(utility)) == ([(1, 0, "passed")], [])  # no form is no refusal

    hand_in(utility, csv_text(TABLE, [{"pay_no": "F1"}], without="amount"))
    observed = f"1 refused: form {TABLE}/{FORM}: column amount of the contract is missing"
    message = refused(utility)
    assert f"Where: {RULE} {TABLE}: {observed}\n" in message
    assert "a refused file or form: corrected, under the same name" in message
    assert f"./kaw waive {RULE} --scope table={TABLE}" in message
    assert result(utility) == [(1, 1, "failed")]  # one record: the table's delivery of the night, with its forms
    assert findings(utility) == [("open", "block", "marketing office", TABLE, observed)]

    waive(utility.url, RULE, f"table={TABLE}", "duty engineer (test)", "the unit corrects it tomorrow", DAY)
    judge(utility)
    assert result(utility) == [(1, 1, "waived")]

    next_day = DAY + timedelta(days=1)
    refused(utility, next_day)  # the form is there still, and the waiver is over
    hand_in(utility, csv_text(TABLE, [{"pay_no": "F1"}]))
    judge(utility, next_day)
    assert result(utility) == [(1, 0, "passed")]
    assert [state for state, *_ in findings(utility)] == ["fixed"]
    assert ("F1", None) in utility.in_force(TABLE, "pay_no", "amount")


REFUSED = {
    "the file is empty": "",
    "column amount of the contract is missing": csv_text(TABLE, [{}], without="amount"),
    "it is no UTF-8 CSV": b"\xfa\xfb\n",
}


@pytest.mark.parametrize("problem", REFUSED)
def test_a_form_is_named_with_what_is_wrong_with_it(utility, problem):
    hand_in(utility, REFUSED[problem])
    message = refused(utility)
    assert f"form {TABLE}/{FORM}: " in message
    assert problem in message


def test_every_refused_form_is_named_and_those_taken_away_are_no_finding(utility):
    hand_in(utility, "", "U310198MAR_20260115.csv")
    hand_in(utility, "", FORM)
    place = f"{TABLE}/U310198MAR_20260115.csv: the file is empty; form {TABLE}/{FORM}: the file is empty"
    assert f"2 refused: form {place}" in refused(utility)
    assert result(utility) == [(1, 1, "failed")]
    hand_in(utility, None, "U310198MAR_20260115.csv")
    hand_in(utility, None, FORM)
    judge(utility)
    assert result(utility) == [(1, 0, "passed")]
    assert [state for state, *_ in findings(utility)] == ["fixed"]


def test_a_form_is_no_delivery_of_the_source(utility):
    (utility.folder / TABLE / f"{TABLE}_20260115.csv").unlink()
    hand_in(utility, csv_text(TABLE, [{"pay_no": "F1"}]))
    assert f"{RULE} {TABLE}: no delivery" in refused(utility)


def test_a_table_that_comes_by_form_alone_is_tested_while_a_form_of_it_was_refused(utility, monkeypatch):
    table = "met_supply_outage"  # no source promises it daily
    one_rule(monkeypatch, table)
    utility.source = "metering"
    judge(utility)
    assert result(utility) == [(0, 0, "not tested")]
    hand_in(utility, "", table=table)
    assert f"ARR-{table} {table}: 1 refused: form {table}/{FORM}: the file is empty" in refused(utility)
    assert result(utility) == [(1, 1, "failed")]
    hand_in(utility, csv_text(table, [{}]), table=table)
    judge(utility)
    assert result(utility) == [(1, 0, "passed")]
    assert [(state, office) for state, _, office, *_ in findings(utility)] == [("fixed", "metering office")]
