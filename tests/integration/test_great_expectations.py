"""Great Expectations over the result tables: it counts for itself, whatever their number, and nothing passes unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from include.errors import InfrastructureError
from include.quality.evaluate import Result
from include.quality.rules import Rule, load_rules
from include.quality.verdict import assert_agreement, great_expectations_counts
from include.records.warehouse import Warehouse
from include.settings import settings

PASSWORD = "pa$sw$HOME$$ord"


@pytest.fixture
def run_id(database: str) -> int:
    """A run with 10,000 violations of MET-02 (its shown list would be cut at 200), three of MET-05, none of MKT-01."""
    with psycopg.connect(database) as connection:
        begin = "insert into quality.runs (business_date) values (%s) returning run_id"
        run, other = (connection.execute(begin, (day,)).fetchone()[0] for day in ("2026-03-29", "2026-03-28"))
        for number, rule_id, rows in ((run, "MET-02", 10_000), (run, "MET-05", 3), (other, "MKT-01", 7)):
            connection.execute(
                "insert into quality.violations (run_id, rule_id, source_name, table_name, record_key, severity)"
                " select %s, %s, 'metering', 'met_point', jsonb_build_object('mp_no', n), 'warn' from generate_series(1, %s) n",
                (number, rule_id, rows),
            )
    return run


@pytest.fixture
def dollar_url(database: str) -> Iterator[str]:
    """Address of the same database for a reader whose password is full of template syntax."""
    role = "reader_" + urlsplit(database).path.strip("/")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
        )
        connection.execute(sql.SQL("grant usage on schema quality to {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("grant select on quality.violations to {}").format(sql.Identifier(role)))
        name = sql.Identifier(urlsplit(database).path.strip("/"))
        connection.execute(sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(role)))
        parts = urlsplit(database)
        yield urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{parts.hostname}:{parts.port}"))
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (role,))
        connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.fixture
def three_rules() -> list[Rule]:
    some = load_rules()[0]
    return [replace(some, id=rule_id) for rule_id in ("MET-02", "MET-05", "MKT-01")]


def results(rules: list[Rule]) -> list[Result]:
    return [Result(rule.id, tested_rows=20_000, failed_rows=0, seconds=0.0) for rule in rules]


def test_every_violation_of_the_run_is_counted_and_none_of_another_run(database, run_id):
    counts = great_expectations_counts(Warehouse(database), run_id, ["MET-02", "MET-05", "MKT-01"])
    assert counts == {"MET-02": 10_000, "MET-05": 3, "MKT-01": 0}


def test_a_dollar_in_the_password_is_a_dollar(dollar_url, run_id):
    assert great_expectations_counts(Warehouse(dollar_url), run_id, ["MET-02", "MET-05"]) == {
        "MET-02": 10_000,
        "MET-05": 3,
    }


def test_its_own_result_is_kept_without_the_password(dollar_url, run_id):
    great_expectations_counts(Warehouse(dollar_url), run_id, ["MET-05"])
    text = (settings().home / "evidence" / f"great_expectations_run_{run_id}_1_rules.json").read_text()
    assert [result["success"] for result in json.loads(text)["results"]] == [False]
    assert PASSWORD not in text


def test_a_count_that_cannot_be_made_is_an_error_and_not_a_pass(database, run_id):
    with psycopg.connect(database) as connection:
        connection.execute("alter table quality.violations drop column rule_id")
    with pytest.raises(InfrastructureError, match="could not evaluate MET-05"):
        great_expectations_counts(Warehouse(database), run_id, ["MET-05"])


def test_both_counts_agree(three_rules):
    observed = {"MET-02": 10_000, "MET-05": 3, "MKT-01": 0}
    assert_agreement(three_rules, results(three_rules), observed, {"MET-02": 10_000, "MET-05": 3})


def test_a_rule_missing_from_the_evaluated_suite_fails_the_gate(three_rules):
    with pytest.raises(InfrastructureError, match="1 rules were not evaluated: MKT-01"):
        assert_agreement(three_rules, results(three_rules), {"MET-02": 0, "MET-05": 0}, {})


def test_a_rule_that_we_did_not_evaluate_fails_the_gate(three_rules):
    observed = {"MET-02": 0, "MET-05": 0, "MKT-01": 0}
    with pytest.raises(InfrastructureError, match="1 rules were not evaluated: MET-02"):
        assert_agreement(three_rules, results(three_rules[1:]), observed, {})


def test_two_counts_that_differ_fail_the_gate(three_rules):
    observed = {"MET-02": 200, "MET-05": 3, "MKT-01": 0}
    with pytest.raises(InfrastructureError, match="counts 200 violations of MET-02, the database 10000"):
        assert_agreement(three_rules, results(three_rules), observed, {"MET-02": 10_000, "MET-05": 3})
