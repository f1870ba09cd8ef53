"""A PostgreSQL schema of a utility: its tables as views with the contract's names, as SQL that a person reviews.

The views belong to the source's own database: whoever may, runs the file there, and the address of the source names their
schema (`?options=-csearch_path%3Dkaw`). A column that is doubtful is a comment in its view; until a person makes it a column,
the table lacks it and does not land.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from include.contracts import Table, load_contracts
from include.errors import InfrastructureError, UsageError
from include.landing.formats import Format, Grid
from include.onboarding.notes import Notes
from include.onboarding.propose import Proposed, propose_rows
from include.onboarding.sniff import Sniffed
from include.settings import mask_secrets, settings

SAMPLE = 2_000
VIEWS = "kaw"
_TABLES = (
    "select table_name from information_schema.tables where table_schema = %s and table_type in ('BASE TABLE', 'VIEW')"
    " order by 1"
)


@dataclass
class DatabaseProposal:
    """The proposals by table of the source's database, and the tables that are none of the contract."""

    proposals: list[Proposed]
    others: list[str]


def propose_database(source: str, address: str, schema: str, today: date) -> DatabaseProposal:
    """Reads a sample of every table of a schema, read-only. Raises InfrastructureError where the database cannot be read."""
    given = settings()
    options = f"-c default_transaction_read_only=on -c statement_timeout={given.source_statement_timeout_s * 1000:.0f}"
    options += " -c datestyle=ISO -c timezone=Asia/Shanghai"
    try:
        with psycopg.connect(
            address, options=options, connect_timeout=int(given.source_connect_timeout_s)
        ) as connection:
            names = [name for (name,) in connection.execute(_TABLES, (schema,))]
            samples = {name: _sample(connection, schema, name) for name in names}
    except psycopg.Error as error:
        raise InfrastructureError(
            f"The samples cannot be read: {' '.join(str(error).split())[:200]}.",
            where=mask_secrets(address),
            next_step="check address, login and rights.",
        ) from None
    if not samples:
        raise UsageError(f"The schema {schema} has no table that this login may read.", next_step="give --schema.")
    best: dict[str, Proposed] = {}
    others = []
    for name, sniffed in samples.items():
        proposed = propose_rows(source, name, sniffed, today)
        if proposed.problem or proposed.intervals or not proposed.columns:
            others.append(name)
        elif proposed.table in best:
            others.append(name)
            best[proposed.table].doubts["table"] = (
                best[proposed.table].file,
                f"{name} looks like {proposed.table} too",
            )
        else:
            best[proposed.table] = proposed
    return DatabaseProposal([best[table] for table in load_contracts()[source] if table in best], others)


def _sample(connection: psycopg.Connection, schema: str, name: str) -> Sniffed:
    relation = sql.Identifier(schema, name)
    columns = [c.name for c in connection.execute(sql.SQL("select * from {} limit 0").format(relation)).description]
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    rows = connection.execute(sql.SQL("select {} from {} limit {}").format(texts, relation, SAMPLE)).fetchall()
    body = [[value.strip() or None if value else None for value in row] for row in rows]
    return Sniffed(Format(kind="parquet"), Grid(columns, body, list(range(1, len(rows) + 1)), []), {}, Notes())


def views_of(source: str, schema: str, found: DatabaseProposal, today: date) -> str:
    """The SQL of the views."""
    parts = [
        f"-- Views with the names of the contract of {source}, proposed by ./kaw init-source on {today}. Read every line; what is\n"
        f"-- doubtful is a comment: make it a column once you know. Run it in the source's database as its owner, let the login\n"
        f"-- of the warehouse read the schema, and end the address with ?options=-csearch_path%3D{VIEWS}\n"
        f"create schema if not exists {VIEWS};\n"
    ]
    for proposed in found.proposals:
        table = load_contracts()[source][proposed.table]
        parts.append(_view(schema, proposed, table))
    if found.others:
        parts.append(f"-- Not mapped: {', '.join(found.others)}\n")
    return "\n".join(parts)


def _view(schema: str, proposed: Proposed, table: Table) -> str:
    lines, comments = [], []
    for column in table.columns:
        spec, doubt = proposed.columns.get(column.name), proposed.doubts.get(f"columns.{column.name}")
        name = _quoted(column.name)
        if spec and "from" in spec:
            expression = _expression(spec, column.physical_type)
            why = spec.get("why", "")
        elif spec:
            expression, why = f"'{spec['value']}'::{column.physical_type}", spec.get("why", "")
        else:
            expression, why = f"null::{column.physical_type}", "not there"
        if doubt:
            comments.append(f"    -- doubtful: {expression} as {name}, -- {_one_line(doubt[1])}")
        else:
            lines.append((f"    {expression} as {name}", _one_line(why)))
    if "table" in proposed.doubts:
        comments.insert(0, f"    -- doubtful: the table; {_one_line(proposed.doubts['table'][1])}")
    body = [f"{text}{',' if at < len(lines) - 1 else ''} -- {why}" for at, (text, why) in enumerate(lines)]
    return "\n".join(
        [
            f"create or replace view {VIEWS}.{_quoted(table.name)} as select",
            *comments,
            *body,
            f"from {_quoted(schema)}.{_quoted(proposed.file)};",
            "",
        ]
    )


def _expression(spec: dict, physical_type: str) -> str:
    text = f"{_quoted(spec['from'])}::text"
    if codes := spec.get("codes"):
        whens = " ".join(f"when {_literal(theirs)} then {_literal(ours)}" for theirs, ours in codes.items())
        return f"case {text} {whens} else {text} end"
    return f"nullif(btrim({text}), '')::{physical_type}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _one_line(text: str) -> str:
    return " ".join(text.split())
