"""Evaluates rules in the database: what was tested, what was violated, which open findings were tested again.

One transaction a rule, two rules at a time. Most rules find nothing: one query counts their population and violations. Where
there are some, the population becomes a temporary table `tested`, the violations are selected from it into
`quality.violations`, and `quality.rule_results` gets the counts. Nothing is decided here: findings, quarantine and the verdict
are made from these tables. Evaluating a rule again in the same run replaces what it wrote.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from queue import SimpleQueue

import psycopg

from include.contracts import Table
from include.profiles import left_out
from include.quality.facts import amounts_of
from include.quality.left_out import not_delivered, reached, told
from include.quality.rules import RECURS, SEVERITIES, Rule, subject_table
from include.records.rule_book import add_rechecked, add_result, add_violations, forget_rules
from include.records.warehouse import Warehouse

STATEMENT_TIMEOUT_S = 300  # a rule that runs longer has lost its plan; the whole book takes seconds
CONNECTIONS = 2
# rules are set-based: a misjudged join in nested loops would run for minutes
_SETTINGS = f"""
set local statement_timeout = '{STATEMENT_TIMEOUT_S}s';
set local enable_nestloop = off;
set local timezone = 'Asia/Shanghai';
select quality.assert_fence();
"""
_LAST_PASSED = "quality.last_passed_load_id()"
FOUND = "quality.violations"
WITHHELD = "withheld (personal)"

_PARAMETER = re.compile(r"(?<!:):(business_date|run_id)\b")
_THRESHOLD = re.compile(r"quality\.parameter\('[^']*', '[^']*', :business_date\)")
_OPTIONAL_TEXT = ("account_no", "column_name", "observed", "expected", "suspect_side")
_OPTIONAL_NUMBERS = ("energy_at_stake_kwh", "amount_at_stake_cny", "exposure_kwh", "exposure_cny")
_KNOWN = {"raw_id", "record_key", "table_name", "source_name", "business_date", "severity", "cause"} | set(
    _OPTIONAL_TEXT + _OPTIONAL_NUMBERS
)


class RuleEvaluationError(RuntimeError):
    """A rule whose queries fail or do not keep the rules' output format; the message names the file."""


@dataclass(frozen=True)
class Result:
    """Counts of one rule in one run. `failed_rows` counts records, of which each may have several broken columns."""

    rule_id: str
    tested_rows: int
    failed_rows: int
    seconds: float
    not_delivered: tuple[str, ...] = ()  # the left-out tables that it rests on, where it tested nothing

    @property
    def is_detail(self) -> bool:
        """A rule that found nothing is no news."""
        return not self.failed_rows

    def __str__(self) -> str:
        return f"{self.rule_id:<24} {self.failed_rows:>9,} of {self.tested_rows:,} rows failed"


def evaluate_all(
    warehouse: Warehouse,
    rules: Iterable[Rule],
    run_id: int,
    business_date: date,
    progress: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Every rule in its own transaction, on two connections side by side; those that read what others found come after them.

    `progress` hears of each, in the order of the rules. Raises `RuleEvaluationError`.
    """
    results: list[Result] = []
    with contextlib.ExitStack() as opened, ThreadPoolExecutor(CONNECTIONS) as workers:
        connections = [opened.enter_context(warehouse.connect()) for _ in range(CONNECTIONS)]
        connections[0].commit()
        _gather_statistics(connections[0])
        with connections[0].transaction(), connections[0].cursor() as cursor:
            given = _as_planned(rules, cursor)
            forget_rules(cursor, run_id, [rule.id for rule in given])
            cursor.execute("select distinct rule_id from quality.open_findings")
            open_rules = {rule_id for (rule_id,) in cursor.fetchall()}
        free: SimpleQueue[psycopg.Connection] = SimpleQueue()
        for connection in connections:
            free.put(connection)

        def evaluate_one(rule: Rule) -> Result:
            connection = free.get()
            try:
                result = _evaluate(connection, rule, run_id, business_date, has_open=rule.id in open_rules)
                connection.commit()
                return result
            finally:
                free.put(connection)

        for reads_found in (False, True):
            batch = [rule for rule in given if (FOUND in rule.reads) == reads_found]
            running = [workers.submit(evaluate_one, rule) for rule in batch]
            try:
                for future in running:
                    results.append(future.result())
                    if progress:
                        progress(results[-1])
            except BaseException:
                for future in running:
                    future.cancel()
                raise
    return results


def evaluate(connection: psycopg.Connection, rule: Rule, run_id: int, business_date: date) -> Result:
    """Evaluates one rule as of `business_date` and records it under `run_id`. Raises `RuleEvaluationError`."""
    with connection.transaction(), connection.cursor() as cursor:
        forget_rules(cursor, run_id, [rule.id])
        return _evaluate(connection, _as_planned([rule], cursor)[0], run_id, business_date, has_open=True)


def _as_planned(rules: Iterable[Rule], cursor: psycopg.Cursor) -> list[Rule]:
    """The rules with the number of the last passed load in place of its call: the planner then knows how little landed since."""
    cursor.execute(f"select {_LAST_PASSED}")
    last_passed = cursor.fetchone()[0]
    if last_passed is None:
        return list(rules)

    def planned(query: str) -> str:
        return query.replace(_LAST_PASSED, str(last_passed))

    return [
        replace(rule, tested_sql=planned(rule.tested_sql), violations_sql=planned(rule.violations_sql))
        for rule in rules
    ]


def _evaluate(connection: psycopg.Connection, rule: Rule, run_id: int, business_date: date, has_open: bool) -> Result:
    """`has_open`: whether findings of the rule may be open. Most rules find nothing in a few rows: each statement counts."""
    started = time.perf_counter()
    reasons = left_out()
    lacking = not_delivered(rule, reasons)
    try:
        with connection.transaction(), client_cursor(connection) as cursor:
            cursor.execute(_SETTINGS)
            parameters = {"run_id": run_id, "business_date": business_date}
            tested_rows, failed_rows = None, 0
            if lacking:
                tested_rows = 0
            elif not has_open:
                tested_rows = _counted(cursor, rule, parameters)
            if tested_rows is None:
                tested_rows, failed_rows = _recorded(cursor, rule, parameters, has_open)
            lacking = lacking or (() if tested_rows else reached(rule, reasons))
            seconds = time.perf_counter() - started
            add_result(
                cursor,
                run_id,
                rule.id,
                tested_rows=tested_rows,
                failed_rows=failed_rows,
                severity=rule.severity,
                not_tested_reason=None if tested_rows else told(lacking, reasons) if lacking else rule.not_tested,
                seconds=seconds,
            )
    except psycopg.Error as error:
        if error.sqlstate is None or (isinstance(error, psycopg.OperationalError) and error.sqlstate != "57014"):
            raise  # the connection or the server, not the rule
        message = error.diag.message_primary or str(error)
        raise RuleEvaluationError(f"{rule.path}: rule {rule.id} cannot be evaluated: {message}") from error
    return Result(rule.id, tested_rows, failed_rows, seconds, lacking)


def client_cursor(connection: psycopg.Connection) -> psycopg.ClientCursor:
    """A cursor that sends several statements as one text; of a connection that has a class of its own, that class."""
    return getattr(connection, "client_cursor", psycopg.ClientCursor)(connection)


def _counted(cursor: psycopg.Cursor, rule: Rule, parameters: dict) -> int | None:
    """The size of the population, where nothing in it is violated; None where something is."""
    cursor.execute(
        f"with tested as materialized (\n{bind(rule.tested_sql)}\n), found as (\n{bind(rule.violations_sql)}\n)"
        " select (select count(*) from tested), exists (select 1 from found)",
        parameters,
    )
    tested_rows, is_violated = cursor.fetchone()
    return None if is_violated else tested_rows


def _recorded(cursor: psycopg.Cursor, rule: Rule, parameters: dict, has_open: bool) -> tuple[int, int]:
    """Puts the violations on record; the sizes of population and of what failed in it."""
    tested_rows = _materialise(cursor, "tested", rule.tested_sql, parameters)
    failed_rows = 0
    if _materialise(cursor, "found", rule.violations_sql, parameters):
        check_output(cursor, rule)
        failed_rows = _insert_violations(cursor, rule, parameters)
    if has_open:
        _mark_rechecked(cursor, rule, parameters["run_id"])
    cursor.execute("drop table tested, found")
    return tested_rows, failed_rows


def _gather_statistics(connection: psycopg.Connection) -> None:
    """Statistics for relations that have none: dbt has just made them, and without any the planner takes nested loops."""
    connection.execute("select quality.analyze_new()")
    connection.commit()


def bind(query: str) -> str:
    """A rule's query with psycopg's named parameters: `:business_date` becomes `%(business_date)s`, casts stay.

    A threshold is looked up once a query and not once a row: the call becomes a scalar subquery.
    """
    query = _THRESHOLD.sub(r"(select \g<0>)", query.replace("%", "%%"))
    return _PARAMETER.sub(r"%(\1)s", query)


def _materialise(cursor: psycopg.Cursor, name: str, query: str, parameters: dict) -> int:
    """Makes the query's rows the temporary table `name` and counts them."""
    cursor.execute(f"create temporary table {name} as\n{bind(query)}", parameters)
    rows = cursor.rowcount
    if rows > 1000:
        cursor.execute(f"analyze pg_temp.{name}")
    return rows


def _columns(cursor: psycopg.Cursor, name: str) -> list[str]:
    cursor.execute(f"select * from pg_temp.{name} limit 0")
    return [column.name for column in cursor.description]


def check_output(cursor: psycopg.Cursor, rule: Rule) -> None:
    """Refuses output that would lose a finding: no key, an unknown column, or a severity above the rule's own."""
    found = _columns(cursor, "found")
    needed = {"raw_id"} if rule.is_row_grain else {"record_key"}
    if len(rule.subjects) > 1:
        needed.add("table_name")
    for name, columns in (("tested", _columns(cursor, "tested")), ("violations", found)):
        if needed - set(columns):
            raise RuleEvaluationError(
                f"{rule.path}: the query `{name}` lacks {', '.join(sorted(needed - set(columns)))}."
            )
    if set(found) - _KNOWN:
        raise RuleEvaluationError(
            f"{rule.path}: the violations have unknown columns {', '.join(sorted(set(found) - _KNOWN))}."
        )
    if "severity" in found:
        permitted = list(SEVERITIES[: SEVERITIES.index(rule.severity) + 1])
        cursor.execute(
            "select min(severity) from pg_temp.found where severity is null or not severity = any(%s)", (permitted,)
        )
        if above := cursor.fetchone()[0]:
            raise RuleEvaluationError(
                f"{rule.path}: a violation is of severity {above}, above the rule's {rule.severity}."
            )


def _insert_violations(cursor: psycopg.Cursor, rule: Rule, parameters: dict) -> int:
    """Copies `found` into `quality.violations` and returns the number of failed records."""
    columns = _columns(cursor, "found")
    if not rule.is_row_grain:
        names = {
            "source_name": "found.source_name" if "source_name" in columns else "%(source_name)s::text",
            "table_name": "found.table_name" if "table_name" in columns else "%(table_name)s::text",
        }
        given = parameters | {"source_name": rule.source_name, "table_name": rule.table_name}
        _insert(
            cursor,
            rule,
            columns,
            given,
            names
            | {"raw_id": "null::bigint", "record_key": "found.record_key", "source_reference": names["table_name"]},
            from_clause="pg_temp.found as found",
        )
        cursor.execute("select count(distinct record_key) from pg_temp.found")
        return cursor.fetchone()[0]
    for table in _tables_found(cursor, rule):
        # by an index, and not through all that ever landed: nested loops are off
        clause = f"""pg_temp.found as found
            inner join {table.raw_name} as raw
                on found.raw_id = raw._raw_id and raw._raw_id = any (array(select listed.raw_id from pg_temp.found as listed))
            left join quality.receipts as receipts on raw._load_id = receipts.load_id"""
        where = f"found.table_name = '{table.name}'" if len(rule.subjects) > 1 else "true"
        _insert(
            cursor,
            rule,
            columns,
            parameters,
            {
                "source_name": f"'{table.source}'",
                "table_name": f"'{table.name}'",
                "raw_id": "found.raw_id",
                "record_key": record_key(table, "raw"),
                "source_reference": f"coalesce(receipts.file_name, '{table.name}') || coalesce(':' || raw._file_line, '')",
            },
            from_clause=f"{clause} where {where}",
            table=table,
        )
    name = "table_name" if len(rule.subjects) > 1 else "1"
    cursor.execute(f"select count(*) from (select distinct {name}, raw_id from pg_temp.found) as failed")
    return cursor.fetchone()[0]


def _tables_found(cursor: psycopg.Cursor, rule: Rule) -> list[Table]:
    if len(rule.subjects) == 1:
        return [subject_table(rule)]
    cursor.execute("select distinct table_name from pg_temp.found order by 1")
    names = [row[0] for row in cursor.fetchall()]
    if stray := set(names) - set(rule.subjects):
        raise RuleEvaluationError(f"{rule.path}: a violation names {stray.pop()}, which is not a subject of the rule.")
    return [subject_table(rule, name) for name in names]


def _insert(
    cursor: psycopg.Cursor,
    rule: Rule,
    columns: list[str],
    parameters: dict,
    values: dict,
    *,
    from_clause: str,
    table: Table | None = None,
) -> None:
    """One insert-select; `values` maps fixed columns to SQL, the rest comes from `found` where the rule gives it."""
    for name in _OPTIONAL_TEXT:
        values[name] = f"found.{name}::text" if name in columns else "null::text"
    for name in _OPTIONAL_NUMBERS:
        values[name] = f"found.{name}::numeric" if name in columns else "null::numeric"
    if table:
        for name, own in zip(("exposure_kwh", "exposure_cny"), amounts_of(table), strict=True):
            values[name] = f"coalesce({values[name]}, raw.{own})" if own else values[name]
    values["error_cny_year"] = f"{values['amount_at_stake_cny']} * {RECURS.get(rule.recurs, 1)}"
    values["cause"] = "found.cause" if "cause" in columns else "null::jsonb"
    values["severity"] = "found.severity" if "severity" in columns else f"'{rule.severity}'"
    fact_date = _fact_date(table) if table else None
    stated = ["found.business_date::date"] if "business_date" in columns else []
    values["business_date"] = (
        f"coalesce({', '.join([*stated, *([fact_date] if fact_date else []), '%(business_date)s'])})"
    )
    if table:
        personal = ", ".join(f"'{c.name}'" for c in table.columns if c.classification == "personal")
        if personal:
            values["observed"] = (
                f"case when {values['column_name']} in ({personal}) then '{WITHHELD}' else {values['observed']} end"
            )
        if account := _account(table):
            values["account_no"] = f"coalesce({values['account_no']}, {account})"
    values = {"run_id": "%(run_id)s", "rule_id": f"'{rule.id}'"} | values
    add_violations(cursor, values, from_clause, parameters)


def record_key(table: Table, alias: str) -> str:
    """SQL of a row's key as jsonb, under the source's column names; dates and times become ISO text."""
    return f"jsonb_build_object({', '.join(f'{_text(c)}, {alias}.{c}' for c in table.key)})"


def _account(table: Table) -> str | None:
    """SQL of the account a raw row belongs to, where the row itself or the row it hangs on names one."""
    names = {c.name for c in table.columns}
    if "cons_no" in names:
        return "btrim(raw.cons_no)"
    parents = (  # column of the row, staging relation, its column
        ("mp_no", "staging.stg_metering__measuring_points", "metering_point_no"),
        ("bill_no", "staging.stg_marketing__bills", "bill_no"),
        ("contract_no", "staging.stg_contract__contracts", "contract_no"),
        ("app_no", "staging.stg_marketing__applications", "application_no"),
        ("meter_asset_no", "staging.stg_metering__measuring_points", "meter_asset_no"),
    )
    for column, relation, parent_column in parents:
        if column in names:
            return (
                f"(select min(parents.account_no) from {relation} as parents"
                f" where parents.{parent_column} = btrim(raw.{column}))"
            )
    return None


def _fact_date(table: Table) -> str | None:
    """SQL of the day an event row is about: the first date or time in its key. None for archive rows: they are as of D."""
    if table.is_full_compared:
        return None
    for name in table.key:
        kind = table.column(name).physical_type
        if kind in ("date", "timestamptz"):
            return f"raw.{name}::date"
    return None


def _mark_rechecked(cursor: psycopg.Cursor, rule: Rule, run_id: int) -> None:
    """Notes the open findings of the rule whose record was in the population: they are seen again or fixed."""
    if not rule.is_row_grain:
        add_rechecked(
            cursor,
            run_id,
            """select open_findings.finding_id
            from quality.open_findings as open_findings
            where open_findings.rule_id = %(rule)s
                and open_findings.record_key in (select tested.record_key from pg_temp.tested as tested)""",
            {"rule": rule.id},
        )
        return
    cursor.execute(
        """select distinct table_name from quality.open_findings
        where rule_id = %s and raw_id is not null and table_name = any(%s)""",
        (rule.id, list(rule.subjects)),
    )
    for (name,) in cursor.fetchall():
        table = subject_table(rule, name)
        same_table = f"and tested.table_name = '{name}'" if len(rule.subjects) > 1 else ""
        # The finding's row and every other version of its key share `_key`, the digest of the key columns.
        add_rechecked(
            cursor,
            run_id,
            f"""with open_ones as materialized (
                select open_findings.finding_id, open_findings.raw_id
                from quality.open_findings as open_findings
                where open_findings.rule_id = %(rule)s and open_findings.table_name = %(table)s
            ),
            seen as materialized (
                select open_ones.finding_id, raw._key
                from open_ones
                inner join {table.raw_name} as raw
                    on open_ones.raw_id = raw._raw_id and raw._raw_id = any (array(select listed.raw_id from open_ones as listed))
            )
            select distinct seen.finding_id
            from seen
            inner join {table.raw_name} as version
                on seen._key = version._key and version._key = any (array(select listed._key from seen as listed))
            inner join pg_temp.tested as tested on version._raw_id = tested.raw_id {same_table}""",
            {"rule": rule.id, "table": name},
        )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
