"""Every rule is seen to fail once: one planted fault breaks that rule, and besides it only what the fault truly implies."""
from __future__ import annotations

import pytest

from include.quality.rules import load_rules
from tests.rules.faults import FAULTS
from tests.rules.staged import Staged

CATALOGUE = {rule.id: rule for rule in load_rules() if not rule.id.startswith(("PIP", "MART"))}


def test_clean_data_break_no_rule(staged: Staged):
    assert staged.broken_rules() == set()


@pytest.mark.parametrize(("rule_id", "statements", "also"), FAULTS, ids=[f"{rule_id}-{number}" for number, (rule_id, *_) in enumerate(FAULTS)])
def test_a_planted_fault_breaks_only(staged: Staged, rule_id: str, statements: list[str], also: set[str]):
    for statement in statements:
        staged.plant(statement)
    assert staged.broken_rules() == {rule_id} | also


def test_every_rule_of_the_catalogue_has_a_fault():
    assert {rule_id for rule_id, *_ in FAULTS} >= set(CATALOGUE)
