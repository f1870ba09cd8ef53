"""The rules' queries, run against the empty warehouse: each reads what is there, with types that fit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import psycopg

from include.local.lint.problem import Problem
from include.local.lint.sql_errors import Source, problem_of
from include.quality.evaluate import RuleEvaluationError, bind, check_output
from include.quality.rules import Rule

MARKERS = {"tested": "tested", "found": "violations"}


def check_queries(connection: psycopg.Connection, root: Path, rules: Iterable[Rule], day: date) -> list[Problem]:
    """One problem at most of each rule; the connection is rolled back."""
    problems = []
    connection.rollback()
    connection.execute("set timezone = 'Asia/Shanghai'")
    connection.commit()
    for rule in rules:
        with connection.transaction(force_rollback=True):
            problem = _check(connection, root, rule, day)
        if problem:
            problems.append(problem)
    return problems


def _check(connection: psycopg.Connection, root: Path, rule: Rule, day: date) -> Problem | None:
    text = (root / rule.path).read_text(encoding="utf-8")
    cursor = psycopg.ClientCursor(connection)
    for name, query in (("tested", rule.tested_sql), ("found", rule.violations_sql)):
        create = f"create temporary table {name} on commit drop as\n"
        statement = create + cursor.mogrify(bind(query), {"business_date": day, "run_id": 0})
        try:
            with connection.transaction():
                cursor.execute(statement)
        except psycopg.Error as error:
            lines = text.splitlines()
            marker = f"-- {MARKERS[name]}"
            first = lines.index(marker) + 1 if marker in lines else 1
            return problem_of(connection, error, Source(rule.path, text, statement, first))
    try:
        check_output(cursor, rule)
    except RuleEvaluationError as error:
        return Problem(rule.path, 1, str(error).removeprefix(f"{rule.path}: ").rstrip("."))
    return None
