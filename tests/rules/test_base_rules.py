"""Every rule that the contracts imply is seen to fail, for each column and each way of arriving that it looks at."""

from __future__ import annotations

import pytest

from include.contracts import all_tables
from include.quality.base_rules import load_base_rules
from tests.rules.base_faults import ARRIVALS, fails, faults, missing
from tests.rules.staged import Staged

ON_ROWS = [rule for rule in load_base_rules() if rule.gate == 1 and rule.id.startswith(("BASE-", "MKT-13"))]
ARRIVAL = {rule.id.removeprefix("ARR-"): rule for rule in load_base_rules() if rule.id.startswith("ARR-")}


@pytest.mark.parametrize("source", ["metering", "marketing", "contract"])
def test_a_row_that_breaks_its_contract_is_quarantined_with_its_column(staged: Staged, source: str):
    for rule in (rule for rule in ON_ROWS if rule.source_name == source):
        for what, statements, columns in faults(rule):
            with staged.connection.transaction(force_rollback=True):
                for statement in statements:
                    assert staged.connection.execute(statement).rowcount > 0, (rule.id, statement)
                rows = 2 if what.startswith("two rows") else 1
                assert (staged.columns(rule), staged.answer(rule)[1]) == (columns, rows * len(columns)), (rule.id, what)
                assert staged.verdict(rule) == ("quarantine" if columns else None), (rule.id, what)


@pytest.mark.parametrize(("statements", "kinds"), [case[1:] for case in ARRIVALS], ids=[case[0] for case in ARRIVALS])
def test_a_delivery_counts_as_arrived_where_it_is_tonights_and_good(
    staged: Staged, statements: list[str], kinds: set[str]
):
    for statement in statements:
        assert staged.connection.execute(statement).rowcount > 0
    assert _blocked(staged) == {name for name, table in all_tables().items() if fails(table, kinds)}


def test_a_delivery_that_is_missing_is_that_of_its_table(staged: Staged):
    for name, table in all_tables().items():
        with staged.connection.transaction(force_rollback=True):
            for statement in missing(table):
                staged.connection.execute(statement)
            assert _blocked(staged) == {name}


def _blocked(staged: Staged) -> set[str]:
    return {name for name, rule in ARRIVAL.items() if staged.verdict(rule) == "block"}
