"""Which columns a query reads for each of its own, by SQLGlot: the SQL that dbt compiled, and the columns of what it reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

Columns = dict[str, list[tuple[str, str]]]  # column -> (schema.table, column) that its value is made of
Schema = dict[str, dict[str, dict[str, str]]]  # schema -> table -> column -> type


def columns_of(query: str, schema: Schema) -> Columns:
    """Of each column of the query those columns that go into its value, in order; a constant or a count of rows has none.

    What only filters, joins or sorts is left out. Raises SqlglotError for what SQLGlot cannot read.
    """
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    parsed = _without_populated_records(parse_one(query, read="postgres"))
    qualified = qualify(parsed, schema=schema, dialect="postgres", validate_qualify_columns=False, identify=False)
    scope, found = build_scope(qualified), {}
    for name in qualified.named_selects:
        steps = lineage(name, qualified, schema=None, scope=scope, dialect="postgres", copy=False, trim_selects=False)
        found[name] = sorted(
            {
                (f"{step.source.db}.{step.source.name}", step.name.rpartition(".")[2].strip('"'))
                for step in steps.walk()
                if isinstance(step.source, exp.Table) and step.source.db
            }
        )
    return found


def _without_populated_records(parsed):
    """A row with some values taken out (jsonb_populate_record) has the columns of the row itself, and says so."""
    from sqlglot import exp

    for select in parsed.find_all(exp.Select):
        rows = {
            lateral.alias: call.expressions[0].name
            for lateral in select.find_all(exp.Lateral)
            if (call := lateral.this).name == "jsonb_populate_record"
        }
        for column in select.find_all(exp.Column):
            if column.table in rows:
                column.set("table", exp.to_identifier(rows[column.table]))
    return parsed


class Kept:
    """What was found for a query before: a model's SQL is the same night for night, and reading it takes a tenth of a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._found: dict[str, Columns] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            self._found = {}
        self._used: dict[str, Columns] = {}

    def of(self, query: str, schema: Schema) -> Columns | None:
        """The same as `columns_of`; None for a query that it cannot read."""
        from sqlglot.errors import SqlglotError

        key = hashlib.sha256(json.dumps([query, schema], sort_keys=True).encode()).hexdigest()
        if key not in self._found:
            try:
                self._found[key] = columns_of(query, schema)
            except SqlglotError:
                return None
        self._used[key] = self._found[key]
        return self._used[key]

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._used), "utf-8")
        partial.replace(self._path)
