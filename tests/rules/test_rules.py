"""Every rule is seen to fail once: one planted fault breaks that rule, and besides it only what the fault truly implies."""

from __future__ import annotations

import pytest

from include.quality.rules import load_rules
from tests.rules.boundaries import CASES
from tests.rules.faults import FAULTS
from tests.rules.pipeline_worlds import PIPELINE
from tests.rules.populations import POPULATIONS
from tests.rules.staged import Staged
from tests.rules.told import TOLD

CATALOGUE = {rule.id: rule for rule in load_rules() if not rule.id.startswith(("PIP", "MART"))}
QUARANTINE = {
    *(f"MET-{n:02}" for n in (1, 2, 3, 5, 6, 8, 9, 12, 16, 20, 21, 25, 27, 31)),
    *(f"MKT-{n:02}" for n in (1, 2, 3, 4, 9, 10, 11, 12, 14, 21, 22, 23, 26, 27, 29, 32, 34, 36, 37, 41, 42)),
    *(f"CON-{n:02}" for n in (1, 2, 6, 8, 9, 11, 12, 13)),
    *(f"XSR-{n:02}" for n in (1, 2, 3, 4, 5, 9, 10, 11, 15, 17, 23)),
}  # Q in the catalogue, as the worst of a rule's severities


def test_clean_data_break_no_rule(staged: Staged):
    assert staged.broken_rules() == set()


@pytest.mark.parametrize(
    ("rule_id", "statements", "also"),
    FAULTS,
    ids=[f"{rule_id}-{number}" for number, (rule_id, *_) in enumerate(FAULTS)],
)
def test_a_planted_fault_breaks_only(staged: Staged, rule_id: str, statements: list[str], also: set[str]):
    for statement in statements:
        staged.plant(statement)
    assert staged.broken_rules() == {rule_id} | also


@pytest.mark.parametrize(
    ("rule_id", "_", "statements", "severity"), CASES, ids=[f"{rule_id}: {name}" for rule_id, name, *_ in CASES]
)
def test_a_value_at_the_edge_of_a_limit(
    staged: Staged, rule_id: str, _: str, statements: list[str], severity: str | None
):
    staged.restart(statements)
    assert staged.verdict(CATALOGUE[rule_id]) == severity


@pytest.mark.parametrize(
    ("rule_id", "_", "statements", "severity"),
    POPULATIONS,
    ids=[f"{rule_id}: {name}" for rule_id, name, *_ in POPULATIONS],
)
def test_a_record_is_looked_at_or_not(
    staged: Staged, rule_id: str, _: str, statements: list[str], severity: str | None
):
    staged.restart(statements)
    assert staged.verdict(CATALOGUE[rule_id]) == severity


@pytest.mark.parametrize(
    ("rule_id", "_", "statements", "is_tested", "told"), TOLD, ids=[f"{rule_id}: {name}" for rule_id, name, *_ in TOLD]
)
def test_a_rule_tells_where_and_what_it_expects(
    staged: Staged, rule_id: str, _: str, statements: list[str], is_tested: bool, told: set
):
    staged.restart(statements)
    assert staged.told(CATALOGUE[rule_id]) == (is_tested, told)


@pytest.mark.parametrize(
    ("rule_id", "_", "statements", "severity"), PIPELINE, ids=[f"{rule_id}: {name}" for rule_id, name, *_ in PIPELINE]
)
def test_a_rule_on_the_pipeline_says(staged: Staged, rule_id: str, _: str, statements: list[str], severity: str | None):
    for statement in statements:
        assert staged.connection.execute(statement).rowcount > 0
    rule = next(rule for rule in load_rules() if rule.id == rule_id)
    assert staged.verdict(rule) == severity


def test_every_rule_is_as_severe_as_the_catalogue_says():
    mild = {rule_id for rule_id, rule in CATALOGUE.items() if rule.severity == "warn"}
    assert {rule_id for rule_id, rule in CATALOGUE.items() if rule.severity == "block"} == {"MET-23", "XSR-27"}
    assert set(CATALOGUE) - mild == QUARANTINE | {"MET-23", "XSR-27"}


def test_every_rule_of_the_catalogue_has_a_fault():
    assert {rule_id for rule_id, *_ in FAULTS} >= set(CATALOGUE)
