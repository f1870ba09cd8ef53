"""Faults made from what the contracts declare: (rule of the declaration alone, statements, columns that it must tell).

They change all rows, or one for each column, of the clean utility (synthetic), so that no declaration can be dead: beside what a rule
must tell stands what it must not, one step away. The tests of the rules ask them, and the mutants of rules and declarations are
judged by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.rules.declared_faults.conditions import conditions, periods
from tests.rules.declared_faults.copies import copies, repeats, sharings
from tests.rules.declared_faults.crowds import CROWDS, crowd, crowds
from tests.rules.declared_faults.equations import edges, equations
from tests.rules.declared_faults.made import Fault
from tests.rules.declared_faults.meanings import days, ranges, seeds, texts
from tests.rules.declared_faults.references import identities, references, totals
from tests.rules.declared_faults.times import orders
from tests.rules.staged import Staged

__all__ = ["CROWDS", "FAULTS", "Fault", "crowd", "tell_their_columns"]

FAULTS: dict[str, Callable[[Staged], Iterator[Fault]]] = {
    "ranges": ranges,
    "days": days,
    "texts": texts,
    "seeds": seeds,
    "orders": orders,
    "equations": equations,
    "edges": edges,
    "conditions": conditions,
    "periods": periods,
    "references": references,
    "totals": totals,
    "identities": identities,
    "copies": copies,
    "sharings": sharings,
    "repeats": repeats,
    "crowds": crowds,
}


def tell_their_columns(staged: Staged, faults: Callable[[Staged], Iterator[Fault]]) -> tuple[int, int]:
    """Asserts that each fault is told as it should be; how many columns are told, and of how many faults nothing is."""
    told = silent = 0
    for planted in faults(staged):
        with staged.connection.transaction(force_rollback=True):
            for statement in planted.statements:
                staged.connection.execute(statement)
            found = staged.columns(planted.rule)
            assert (found if planted.among is None else found & planted.among) == planted.columns, planted.what
            if planted.words:
                said = {column: words for column, words, *_ in staged.told(planted.rule) if column in planted.words}
                assert said == planted.words, planted.what
        told, silent = told + len(planted.columns), silent + (not planted.columns)
    return told, silent
