"""Every rule is seen to fail once: what its typed cases give, it says so, and a planted fault breaks no rule besides.

The cases lie beside the rules (`expectations/<area>/<ID>_….cases.yaml`); `tests/rules/cases.py` tells how to read them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from include.quality.rules import load_rules
from tests.rules.cases import Case, cases_of_the_book, load_cases
from tests.rules.staged import Staged

RULES = {rule.id: rule for rule in load_rules()}
CATALOGUE = {rule_id: rule for rule_id, rule in RULES.items() if not rule_id.startswith(("PIP", "MART"))}
CASES = [case for cases in cases_of_the_book().values() for case in cases]
FAULTS = [case for case in CASES if case.breaks is not None and RULES[case.rule_id].gate == 1]
QUARANTINE = {
    *(f"MET-{n:02}" for n in (1, 2, 3, 5, 6, 8, 9, 12, 16, 20, 21, 25, 27, 31, 54)),
    *(f"MKT-{n:02}" for n in (1, 2, 3, 4, 9, 10, 11, 12, 14, 21, 22, 23, 26, 27, 29, 32, 34, 36, 37, 41, 42)),
    *(f"CON-{n:02}" for n in (1, 2, 6, 8, 9, 11, 12, 13)),
    *(f"XSR-{n:02}" for n in (1, 2, 3, 4, 5, 9, 10, 11, 15, 17, 23)),
}  # Q in the catalogue, as the worst of a rule's severities


def test_clean_data_break_no_rule(staged: Staged):
    assert staged.broken_rules() == set()


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: f"{case.rule_id}: {case.name}")
def test_a_planted_fault_breaks_only(staged: Staged, case: Case):
    case.prepare(staged, RULES[case.rule_id])
    assert staged.broken_rules() == {case.rule_id} | case.breaks


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.says],
    ids=lambda case: f"{case.rule_id}: {case.name}{', in a small utility' if case.only else ''}",
)
def test_a_rule_says_of_its_case(staged: Staged, case: Case):
    case.prepare(staged, RULES[case.rule_id])
    assert case.ask(staged, RULES[case.rule_id]) == case.says


def test_a_level_that_is_no_code_breaks_only_the_rule_made_from_the_contracts(staged: Staged):
    staged.plant(
        "update {{mkt_customer}} set voltage_level = '10千伏'"
        " where cons_no = (select min(cons_no) from {{mkt_customer}} where status = 'NORMAL')"
    )
    assert staged.broken_rules() == {"MKT-13"}


def test_every_rule_is_as_severe_as_the_catalogue_says():
    mild = {rule_id for rule_id, rule in CATALOGUE.items() if rule.severity == "warn"}
    assert {rule_id for rule_id, rule in CATALOGUE.items() if rule.severity == "block"} == {
        "EXP-01",
        "EXP-02",
        "MET-23",
        "XSR-27",
    }
    assert set(CATALOGUE) - mild == QUARANTINE | {"EXP-01", "EXP-02", "MET-23", "XSR-27"}


def test_every_rule_has_a_case_and_every_rule_of_the_catalogue_a_planted_fault():
    assert {case.rule_id for case in FAULTS} >= set(CATALOGUE)
    assert {case.rule_id for case in CASES} == set(RULES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {case: a, given: [{remove: mkt_bill}]}", "it says nothing"),
        ("- {case: a, finds: bad}", "finds is 'bad'; it is nothing or one of"),
        ("- {case: a, finds: warn, colour: red}", "unknown key colour"),
        ("- {case: a, violations: none}", "it lacks `why`"),
        ("- {case: a, finds: warn, given: [{drop: mkt_bill}]}", "a step is one of change, add, remove, sql"),
        ("- {case: a, finds: warn}\n- {case: a, finds: warn}", "two cases are named 'a'"),
        ("- {case: a, why: b, violations: 'x | y\n\n  1'}", "a row has 1 cells under 2 columns"),
    ],
)
def test_a_file_of_cases_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str):
    (tmp_path / "metering").mkdir()
    (tmp_path / "metering" / "MET-99_x.sql").write_text("")
    (tmp_path / "metering" / "MET-99_x.cases.yaml").write_text(text)
    with pytest.raises(ValueError, match=said):
        load_cases(tmp_path)
