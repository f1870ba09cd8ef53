"""Weakening a rule makes a test fail: mutants of each rule are judged in the clean world, its faults and its boundary cases.

A mutant is killed where it says another thing than the rule (broken or not, or how severely) in a world for which a test
says what the rule must say. One that the database refuses or that does not end is no mutant. `./kaw test --soak` judges the
whole book and prints the score and the survivors, `./kaw test` a sample.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import psycopg
import pytest

from include.quality.rules import Rule, load_rules
from tests.rules.boundaries import CASES
from tests.rules.faults import FAULTS
from tests.rules.mutations import Mutant, mutants
from tests.rules.staged import Staged

CATALOGUE = {rule.id: rule for rule in load_rules() if not rule.id.startswith(("PIP", "MART"))}
WORLDS = [([], set(CATALOGUE))]
WORLDS += [(statements, {rule_id} | also) for rule_id, statements, also in FAULTS]
WORLDS += [(statements, {rule_id}) for rule_id, _, statements, _ in CASES]
SAMPLE = ("MET-05", "MET-28", "MKT-06", "MKT-10", "MKT-11", "MKT-33", "MKT-35", "CON-02", "CON-08", "XSR-06", "XSR-30")
LEAST_KILLED = 0.3  # of the whole book: most survivors are filters of `tested` that the small utility does not need


def judge(staged: Staged, rules: Iterable[Rule]) -> tuple[dict[str, int], dict[str, list[Mutant]]]:
    """Mutants of each rule that could be run, and those of them that nothing noticed."""
    alive = {rule.id: list(mutants(rule)) for rule in rules}
    refused: dict[str, list[Mutant]] = defaultdict(list)
    made = {rule_id: len(found) for rule_id, found in alive.items()}
    staged.connection.execute("set local statement_timeout = '10s'")
    for statements, rule_ids in WORLDS:
        concerned = [rule_id for rule_id in rule_ids if alive.get(rule_id)]
        if not concerned:
            continue
        with staged.connection.transaction(force_rollback=True):
            staged.restart(statements)
            for rule_id in concerned:
                right = staged.verdict(CATALOGUE[rule_id])
                for mutant in list(alive[rule_id]):
                    try:
                        with staged.connection.transaction():
                            is_noticed = staged.verdict(mutant.rule) != right
                    except psycopg.Error:
                        refused[rule_id].append(mutant)
                        is_noticed = True
                    if is_noticed:
                        alive[rule_id].remove(mutant)
    return {rule_id: count - len(refused[rule_id]) for rule_id, count in made.items()}, alive


def told(made: dict[str, int], alive: dict[str, list[Mutant]]) -> str:
    survivors = sum(map(len, alive.values()))
    lines = [f"{rule_id} {m.part}: {m.change}" for rule_id, found in alive.items() for m in found]
    return "\n".join([f"mutants killed: {sum(made.values()) - survivors} of {sum(made.values())}; survivors:", *lines])


@pytest.mark.parametrize("rule_id", SAMPLE)
def test_no_condition_of_the_violations_can_be_weakened(staged: Staged, rule_id: str):
    made, alive = judge(staged, [CATALOGUE[rule_id]])
    assert made[rule_id] > 1
    assert [m.change for m in alive[rule_id] if m.part != "tested"] == [], told(made, alive)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_rule_book_is_mutated_as_a_whole(staged: Staged, capsys: pytest.CaptureFixture):
    made, alive = judge(staged, CATALOGUE.values())
    with capsys.disabled():
        print("\n" + told(made, alive))
    assert all(made.values())
    assert sum(map(len, alive.values())) <= (1 - LEAST_KILLED) * sum(made.values())
