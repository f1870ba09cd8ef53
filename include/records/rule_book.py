"""The rule book as the last gate read it, and per run what each rule tested, found and passed for."""

from __future__ import annotations

import psycopg

_BOOK = "rule_id, gate, sentence, axis, dimension, severity, owner, quarantines, path, source_name, table_names, tests_changes, withholds, code"


def replace_rule_book(connection: psycopg.Connection, rules: list[dict]) -> None:
    """These rules instead of those of before, each by the columns of quality.rule_book."""
    values = ", ".join(f"%({name})s" for name in _BOOK.split(", "))
    connection.execute("delete from quality.rule_book")
    with connection.cursor() as cursor:
        cursor.executemany(f"insert into quality.rule_book ({_BOOK}) values ({values})", rules)


def forget_rules(cursor: psycopg.Cursor, run_id: int, rule_ids: list[str]) -> None:
    """Nothing of these rules in a run any more: they are evaluated again."""
    cursor.execute("delete from quality.violations where run_id = %s and rule_id = any(%s)", (run_id, rule_ids))
    cursor.execute("delete from quality.rule_results where run_id = %s and rule_id = any(%s)", (run_id, rule_ids))
    cursor.execute(
        """delete from quality.findings_rechecked
        where run_id = %s and finding_id in (select finding_id from quality.findings where rule_id = any(%s))""",
        (run_id, rule_ids),
    )


def add_violations(cursor: psycopg.Cursor, columns: dict[str, str], found: str, values: dict) -> None:
    """Violations from SQL: what goes into each column of quality.violations, and the rows that were found as a from clause."""
    cursor.execute(
        f"insert into quality.violations ({', '.join(columns)})\nselect {', '.join(columns.values())}\nfrom {found}",
        values,
    )


def add_rechecked(cursor: psycopg.Cursor, run_id: int, finding_ids: str, values: dict) -> None:
    """Open findings whose record was tested again; `finding_ids` is a query of them."""
    cursor.execute(
        "insert into quality.findings_rechecked (run_id, finding_id)"
        f" select %(run_id)s, finding_id from ({finding_ids}) as rechecked",
        values | {"run_id": run_id},
    )


def add_result(
    cursor: psycopg.Cursor,
    run_id: int,
    rule_id: str,
    *,
    tested_rows: int,
    failed_rows: int,
    severity: str,
    not_tested_reason: str | None,
    seconds: float,
) -> None:
    cursor.execute(
        "insert into quality.rule_results (run_id, rule_id, tested_rows, failed_rows, severity, not_tested_reason, seconds)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (run_id, rule_id, tested_rows, failed_rows, severity, not_tested_reason, round(seconds, 3)),
    )


def note_passed(connection: psycopg.Connection, run_id: int, verdicts: dict[str, str]) -> None:
    """What each rule passed for in a run: passed, waived, failed or not tested."""
    connection.execute(
        "update quality.rule_results set verdict = given.verdict"
        " from unnest(%s::text[], %s::text[]) as given (rule_id, verdict)"
        " where rule_results.run_id = %s and rule_results.rule_id = given.rule_id",
        (list(verdicts), list(verdicts.values()), run_id),
    )
