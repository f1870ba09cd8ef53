"""The gate evaluates two rules at a time: results in the order given, what reads the others' violations last, errors told."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from include.quality.evaluate import RuleEvaluationError, evaluate_all
from include.quality.rules import Rule, load_rules
from include.records.warehouse import Warehouse
from tests.rules.conftest import BUSINESS_DATE

LIMIT = next(rule for rule in load_rules() if rule.id == "PIP-03")


def rule(number: int, *, key: str = "1", seconds: float = 0, observed: str = "'seen'", **other) -> Rule:
    """A rule over one record, which it finds after so many seconds."""
    tested = f"select jsonb_build_object('n', {key}) as record_key, pg_sleep({seconds})::text as slept"
    return replace(
        LIMIT,
        id=f"TRY-{number}",
        tested_sql=tested,
        violations_sql=f"select record_key, ({observed})::text as observed from tested",
        **{"reads": ()} | other,
    )


@pytest.fixture
def warehouse(database: str) -> Warehouse:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("insert into quality.runs (business_date) values (%s)", (BUSINESS_DATE,))
    return Warehouse(database)


def test_results_keep_their_order_and_who_reads_what_was_found_comes_last(warehouse: Warehouse):
    last = rule(9, observed="select count(*) from quality.violations", reads=("quality.violations",))
    told: list[str] = []
    given = [last, rule(1, seconds=0.5), rule(2), rule(3)]
    results = evaluate_all(warehouse, given, 1, BUSINESS_DATE, lambda result: told.append(result.rule_id))
    assert [result.rule_id for result in results] == told == ["TRY-1", "TRY-2", "TRY-3", "TRY-9"]
    assert _observed(warehouse, "TRY-9") == "3"


def test_a_rule_is_evaluated_while_another_is(warehouse: Warehouse):
    asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    evaluate_all(warehouse, [rule(1, seconds=4), rule(2, seconds=1, observed=asleep)], 1, BUSINESS_DATE)
    assert _observed(warehouse, "TRY-2") == "1"


def _observed(warehouse: Warehouse, rule_id: str) -> str:
    with warehouse.connect() as connection:
        found = connection.execute("select observed from quality.violations where rule_id = %s", (rule_id,))
        return found.fetchone()[0]


def test_a_rule_that_cannot_be_evaluated_is_named_and_no_later_one_begins(warehouse: Warehouse):
    with pytest.raises(RuleEvaluationError, match='rule TRY-2 cannot be evaluated: column "none" does not exist'):
        evaluate_all(warehouse, [rule(2, key="none"), *(rule(n) for n in range(10, 60))], 1, BUSINESS_DATE)
    with warehouse.connect() as connection:
        assert connection.execute("select count(*) from quality.rule_results").fetchone()[0] < 50
