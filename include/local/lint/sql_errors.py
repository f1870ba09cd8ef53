"""What PostgreSQL says of a statement, as a problem with file, line and what is allowed there."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg

from include.choices import choices, did_you_mean
from include.local.lint.problem import Problem, one_line

_COLUMN = re.compile(r'column (?:"(?P<bare>[^"]+)"|(?:(?P<alias>\w+)\.)?(?P<name>\w+)) ')
_RELATION = re.compile(r'relation "(?P<name>[^"]+)" does not exist')
_PARAMETER = re.compile(r"the seed (?P<seed>\w+) has no (?P<name>\S+) of (?P<rule>\S+) on")
_FUNCTION = re.compile(r"function (?:\w+\.)?(?P<name>\w+)\(")
_READ = re.compile(r'\b(?:from|join)\s+(?P<relation>[\w."]+)(?:\s+as\s+(?P<alias>\w+))?', re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """Where a statement came from: a file and its text, the line from which on it is there, and the SQL as it was sent."""

    file: str
    text: str
    statement: str
    first_line: int = 1


def problem_of(connection: psycopg.Connection, error: psycopg.Error, source: Source) -> Problem:
    """The connection is outside the failed transaction and sees the relations that the statement read."""
    message = one_line(error.diag.message_primary or error)
    position = int(error.diag.statement_position or 0)
    allowed, meant = _allowed(connection, message, error.sqlstate, source.statement)
    if not allowed and error.diag.message_hint and error.sqlstate != "42703":
        allowed = one_line(error.diag.message_hint)
    return Problem(source.file, _line(source, position, message), message + meant, allowed)


def _line(source: Source, position: int, message: str) -> int:
    """The line of the file: that with the text of the failed line, else the nearest with the name at the error."""
    lines = source.text.splitlines()
    if position:
        before = source.statement[: position - 1]
        nth = before.count("\n")
        failed = source.statement.splitlines()[nth].strip()
        name = re.match(r"[\w.]*", source.statement[position - 1 :])[0]
    else:
        nth, failed, name = 0, "", ""
    parameter = _PARAMETER.search(message)
    name = f"'{parameter['name']}'" if parameter else name
    near = source.first_line + nth
    for wanted in (lambda line: failed and line.strip() == failed, lambda line: name and name in line):
        found = [n for n, line in enumerate(lines, 1) if n >= source.first_line and wanted(line)]
        if found:
            return min(found, key=lambda n: abs(n - near))
    return source.first_line


def _allowed(connection: psycopg.Connection, message: str, sqlstate: str | None, statement: str) -> tuple[str, str]:
    if sqlstate == "42703" and (found := _COLUMN.search(message)):
        wrong = found["bare"] or found["name"]
        columns = _columns_of(connection, statement, found["alias"])
        return choices(wrong, columns), did_you_mean(wrong, columns)
    if sqlstate in ("42P01", "3F000"):
        found = _RELATION.search(message)
        wrong = found["name"] if found else ""
        names = _names(
            connection,
            "select format('%I.%I', nspname, relname) from pg_class join pg_namespace as n on relnamespace = n.oid"
            " where relkind in ('r', 'v') and nspname !~ '^(pg_|information_schema)' order by 1",
        )
        return choices(wrong, names), did_you_mean(wrong, names)
    if parameter := _PARAMETER.search(message):
        names = _names(
            connection,
            "select distinct name from staging.quality_parameters where rule_id = %s order by 1",
            parameter["rule"],
        )
        return choices(parameter["name"], names), did_you_mean(parameter["name"], names)
    if sqlstate == "42883" and (found := _FUNCTION.search(message)):
        names = _names(connection, "select distinct proname::text from pg_proc order by 1")
        return "", did_you_mean(found["name"], [n for n in names if n != found["name"]])
    return "", ""


def _names(connection: psycopg.Connection, query: str, *values: object) -> list[str]:
    return [name for (name,) in connection.execute(query, values or None).fetchall()]


def _columns_of(connection: psycopg.Connection, statement: str, alias: str | None) -> list[str]:
    """Columns of what the alias stands for; without an alias, those of every relation of the statement."""
    read = {m["alias"] or m["relation"].rpartition(".")[2].strip('"'): m["relation"] for m in _READ.finditer(statement)}
    wanted = [read[alias]] if alias in read else list(dict.fromkeys(read.values()))
    columns: list[str] = []
    for relation in wanted:
        prefix = "" if "." in relation else _up_to_step(statement, relation)
        try:
            with connection.transaction():
                cursor = connection.execute(f"{prefix} select * from {relation} limit 0")
                columns += [c.name for c in cursor.description or []]
        except psycopg.Error:
            continue
    return list(dict.fromkeys(columns))


def _up_to_step(statement: str, step: str) -> str:
    """The WITH clause of a statement up to the end of this step; empty where the statement has no such step."""
    begins = re.search(rf"\b{re.escape(step)} as (?:materialized )?\(", statement)
    if not begins:
        return ""
    depth, quoted = 1, False
    for place in range(begins.end(), len(statement)):
        character = statement[place]
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0:
                start = re.search(r"\bwith\b", statement)
                return statement[start.start() : place + 1] if start and start.start() < begins.start() else ""
    return ""
