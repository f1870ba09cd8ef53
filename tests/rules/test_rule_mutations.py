"""Weakening a rule makes a test fail: mutants of each rule are judged in the worlds for which a test says what it must say.

In the clean world, the planted faults and the cases at a limit that is the typed verdict (broken or not, how severely), in
the shaken worlds the recorded answer. A mutant that the database refuses or that does not end is none. `./kaw test --soak`
judges the whole book and prints the score and the survivors, `./kaw test` a sample.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg
import pytest

from include.quality.rules import Rule, load_rules
from tests.rules.boundaries import CASES
from tests.rules.faults import FAULTS
from tests.rules.mutations import Mutant, mutants
from tests.rules.shaken import SEEDS, shake
from tests.rules.staged import Staged
from tests.rules.test_rule_answers import recorded

CATALOGUE = {rule.id: rule for rule in load_rules() if not rule.id.startswith(("PIP", "MART"))}
WORLDS = [([], set(CATALOGUE))]
WORLDS += [(statements, {rule_id} | also) for rule_id, statements, also in FAULTS]
WORLDS += [(statements, {rule_id}) for rule_id, _, statements, _ in CASES]
SAMPLE = (
    "MET-05", "MET-28", "MKT-06", "MKT-10", "MKT-11", "MKT-14", "MKT-15", "MKT-33", "MKT-35", "MKT-36",
    "CON-02", "CON-03", "CON-08", "CON-10", "XSR-06", "XSR-11", "XSR-22", "XSR-30",
)  # fmt: skip
LEAST_NOTICED = 0.78  # of the whole book
LONGEST_S = 8  # a mutant that takes longer has lost a join


@dataclass
class Judged:
    """Mutants of each rule that could be run, and those of them that nothing noticed."""

    made: dict[str, int]
    alive: dict[str, list[Mutant]]
    noticed: Counter = field(default_factory=Counter)  # by what said so

    @property
    def survivors(self) -> int:
        return sum(map(len, self.alive.values()))


def judge(staged: Staged, rules: Iterable[Rule]) -> Judged:
    alive = {rule.id: list(mutants(rule)) for rule in rules}
    judged = Judged({rule_id: len(found) for rule_id, found in alive.items()}, alive)
    connection = staged.connection
    for statements, rule_ids in WORLDS:
        concerned = sorted(rule_id for rule_id in rule_ids if alive.get(rule_id))
        if not concerned:
            continue
        with connection.transaction(force_rollback=True):
            staged.restart(statements)
            for rule_id in concerned:
                _compare(judged, "a typed verdict", staged.verdict, rule_id, connection)
    answers = recorded()
    for seed in SEEDS:
        with connection.transaction(force_rollback=True):
            shake(connection, list(CATALOGUE.values()), staged.business_date, seed)
            for rule_id in alive:
                _compare(judged, "a recorded answer", staged.answer, rule_id, connection, answers[seed, rule_id])
    return judged


def _compare(judged: Judged, by: str, ask: Callable, rule_id: str, connection: psycopg.Connection, right: object = None) -> None:
    """Takes away the mutants that say another thing than the rule, or fail where it does not, and those that are none."""
    connection.execute(f"set local statement_timeout = '{LONGEST_S}s'")
    right = right or ask(CATALOGUE[rule_id])
    for mutant in list(judged.alive[rule_id]):
        try:
            with connection.transaction():
                is_noticed = ask(mutant.rule) != right
        except psycopg.errors.DataError:  # a value that the rule had kept out
            is_noticed = True
        except psycopg.Error:
            judged.alive[rule_id].remove(mutant)
            judged.made[rule_id] -= 1
            continue
        if is_noticed:
            judged.alive[rule_id].remove(mutant)
            judged.noticed[by] += 1


def told(judged: Judged) -> str:
    made = sum(judged.made.values())
    kinds = Counter((m.part, m.kind) for found in judged.alive.values() for m in found)
    lines = [f"mutants noticed: {made - judged.survivors} of {made} ({', '.join(f'{n} by {by}' for by, n in judged.noticed.items())})"]
    lines += [f"unnoticed: {count} x {kind} in {part}" for (part, kind), count in kinds.most_common()]
    return "\n".join(lines + [f"{rule_id} {m.part}: {m.change}" for rule_id, found in judged.alive.items() for m in found])


def test_no_condition_of_the_violations_can_be_weakened(staged: Staged):
    judged = judge(staged, [CATALOGUE[rule_id] for rule_id in SAMPLE])
    assert min(judged.made.values()) > 1
    assert [(rule_id, m.change) for rule_id, found in judged.alive.items() for m in found if m.part != "tested"] == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_rule_book_is_mutated_as_a_whole(staged: Staged, capsys: pytest.CaptureFixture):
    judged = judge(staged, CATALOGUE.values())
    with capsys.disabled():
        print("\n" + told(judged))
    assert all(judged.made.values())
    assert judged.survivors <= (1 - LEAST_NOTICED) * sum(judged.made.values())
