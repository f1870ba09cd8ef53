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


def rule(number: int, *, key: str = "1", **other) -> Rule:
    """A rule over one record, which it finds; half a second long where a smaller number is not."""
    tested = (
        f"select jsonb_build_object('n', {key}) as record_key, pg_sleep({0.5 if number == 1 else 0})::text as slept"
    )
    found = "select record_key, 'seen' as observed from tested"
    return replace(LIMIT, id=f"TRY-{number}", reads=(), tested_sql=tested, violations_sql=found, **other)


@pytest.fixture
def warehouse(database: str) -> Warehouse:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("insert into quality.runs (business_date) values (%s)", (BUSINESS_DATE,))
    return Warehouse(database)


def test_results_keep_their_order_and_who_reads_what_was_found_comes_last(warehouse: Warehouse):
    last = replace(
        rule(9), reads=("quality.violations",), tested_sql="select jsonb_build_object('n', 1) as record_key",
        violations_sql="select record_key, (select count(*) from quality.violations)::text as observed from tested",
    )  # fmt: skip
    told: list[str] = []
    results = evaluate_all(
        warehouse, [last, rule(1), rule(2), rule(3)], 1, BUSINESS_DATE, lambda r: told.append(r.rule_id)
    )
    assert [result.rule_id for result in results] == told == ["TRY-1", "TRY-2", "TRY-3", "TRY-9"]
    with warehouse.connect() as connection:
        assert connection.execute("select observed from quality.violations where rule_id = 'TRY-9'").fetchall() == [
            ("3",)
        ]
        ended = connection.execute("select rule_id from quality.rule_results order by xmin::text::bigint").fetchall()
    assert [rule_id for (rule_id,) in ended].index("TRY-2") < [rule_id for (rule_id,) in ended].index("TRY-1")


def test_a_rule_that_cannot_be_evaluated_is_named_and_no_later_one_begins(warehouse: Warehouse):
    with pytest.raises(RuleEvaluationError, match='rule TRY-2 cannot be evaluated: column "none" does not exist'):
        evaluate_all(warehouse, [rule(2, key="none"), *(rule(n) for n in range(10, 60))], 1, BUSINESS_DATE)
    with warehouse.connect() as connection:
        assert connection.execute("select count(*) from quality.rule_results").fetchone()[0] < 50
