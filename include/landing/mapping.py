"""The reviewed mapping of a source, `sources/<source>.yaml` of the profile: how its files become the contract's tables.

`./kaw init-source` proposes it; docs/reference/profile.md lists its keys. What is doubtful stops the landing of its table until
a person confirms it: nothing is guessed in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache

import pyarrow as pa
import yaml

from include.contracts import Table, load_contracts
from include.errors import UsageError
from include.landing.delivery import LINE, FileProblem
from include.landing.formats import Format, Grid, read_grid
from include.landing.intervals import day_curves, resolution_of
from include.landing.unfold import long_rows
from include.landing.values import converted
from include.profiles import SOURCES, profile

TABLE_KEYS = ("files", "format", "columns", "intervals", "missing", "unused", "doubts")
COLUMN_KEYS = ("from", "value", "format", "zone", "scale", "codes", "whole", "pad", "pattern", "why")
FORMAT_KEYS = tuple(each.name for each in fields(Format))
DOUBT_KEYS = ("setting", "chosen", "why", "confirmed")


@dataclass(frozen=True)
class TableMap:
    """How the files of one table are read. `columns` is contract column -> `from` a file's column, or a fixed `value`;
    `intervals` is a layout of slots; `doubts` are settings that a person has to confirm."""

    files: str
    form: Format
    columns: dict[str, dict] = field(default_factory=dict)
    intervals: dict | None = None
    doubts: tuple[dict, ...] = ()

    @property
    def unconfirmed(self) -> list[dict]:
        return [doubt for doubt in self.doubts if doubt.get("confirmed") is not True]


def table_map(source: str, table: Table) -> TableMap | None:
    """The mapping of a table in the profile of this moment; None where the profile has none of it. Raises UsageError."""
    folder = profile().folder
    path = folder / SOURCES / f"{source}.yaml" if folder else None
    if path is None or not path.is_file():
        return None
    return parsed(source, path.read_text(encoding="utf-8-sig"), str(path)).get(table.name)


@lru_cache(maxsize=16)
def parsed(source: str, text: str, where: str) -> dict[str, TableMap]:
    """Table -> mapping. Raises UsageError with the key and what is allowed."""
    try:
        given = yaml.load(text, yaml.CSafeLoader) or {}
        tables = given["tables"] or {}
        unknown = [name for name in tables if name not in load_contracts()[source]]
        if unknown:
            raise ValueError(f"tables names {', '.join(unknown)}, which the contract of {source} does not have")
        return {name: _table_map(load_contracts()[source][name], entry) for name, entry in tables.items()}
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())[:300]
        raise UsageError(
            f"The mapping of the source {source} cannot be read: {told}.",
            where=where,
            next_step="correct it; docs/reference/profile.md lists the keys.",
        ) from None


def _table_map(table: Table, entry: dict) -> TableMap:
    _only(entry, TABLE_KEYS, table.name)
    stated = dict(entry.get("format") or {})
    _only(stated, FORMAT_KEYS, f"{table.name}.format")
    for name in ("header", "nulls"):
        if name in stated:
            stated[name] = tuple(stated[name]) if isinstance(stated[name], list) else (stated[name],)
    form = Format(**stated)
    columns = {name: _column(table, name, spec) for name, spec in (entry.get("columns") or {}).items()}
    doubts = tuple(entry.get("doubts") or ())
    if stamp := (entry.get("intervals") or {}).get("stamp"):
        _directives(stamp["format"], f"{table.name}.intervals.stamp.format")
    for doubt in doubts:
        _only(doubt, DOUBT_KEYS, f"{table.name}.doubts")
    return TableMap(entry["files"], form, columns, entry.get("intervals"), doubts)


def _column(table: Table, name: str, spec: object) -> dict:
    if name not in {c.name for c in table.columns}:
        raise ValueError(f"columns names {name}, which the table {table.name} does not have")
    spec = {"from": spec} if isinstance(spec, str) else spec
    _only(spec, COLUMN_KEYS, f"{table.name}.columns.{name}")
    if ("from" in spec) == ("value" in spec):
        raise ValueError(f"{table.name}.columns.{name} needs one of from and value")
    for form in [spec["format"]] if isinstance(spec.get("format"), str) else spec.get("format") or []:
        _directives(form, f"{table.name}.columns.{name}.format")
    return spec


def _directives(form: str, where: str) -> None:
    try:
        datetime.strptime("", form)
    except ValueError as error:
        if "directive" in str(error) or "stray" in str(error):
            raise ValueError(f"{where} is {form!r}: {error}") from None


def _only(given: dict, known: tuple[str, ...], where: str) -> None:
    if unknown := [str(key) for key in given if key not in known]:
        raise ValueError(f"{where} has the unknown key {', '.join(unknown)}; known are {', '.join(known)}")


def read_mapped(content: bytes, table: Table, mapped: TableMap) -> tuple[pa.Table, list[tuple[int, str]], int | None]:
    """The rows of a file as the contract has them, the lines that do not split, and minutes of its slots where it has slots.

    Raises FileProblem where something is doubtful still, or where the file is not as the mapping says.
    """
    if doubts := mapped.unconfirmed:
        raise FileProblem(
            f"{len(doubts)} settings of its mapping are doubtful, the first is {doubts[0]['setting']} ({doubts[0]['why']});"
            " confirm or correct them in the profile"
        )
    grid = read_grid(content, mapped.form)
    if mapped.intervals:
        rows, layout = long_rows(grid, mapped.intervals, mapped.form)
        try:
            return day_curves(rows, layout, table), grid.malformed, resolution_of(layout)
        except FileProblem:
            raise
        except ValueError as error:  # of pandas, where it does not know a directive
            raise FileProblem(f"its stamps do not read as {layout['stamp']['format']} ({error})") from None
    return _whole_rows(grid, table, mapped), grid.malformed, None


def _whole_rows(grid: Grid, table: Table, mapped: TableMap) -> pa.Table:
    wanted = [spec["from"] for spec in mapped.columns.values() if "from" in spec]
    if missing := [name for name in dict.fromkeys(wanted) if name not in grid.names]:
        raise FileProblem(
            f"column {', '.join(missing[:5])} of its mapping is missing; it has {', '.join(grid.names[:12])}"
        )
    if twice := [name for name in dict.fromkeys(wanted) if grid.names.count(name) > 1]:
        raise FileProblem(f"column {', '.join(twice)} appears twice in the header")
    columns = {LINE: pa.array(grid.lines, pa.int64())}
    for column in table.columns:
        spec = mapped.columns.get(column.name)
        if spec is None:
            values = [None] * len(grid.rows)
        elif "value" in spec:
            values = [spec["value"] if spec["value"] is None else str(spec["value"])] * len(grid.rows)
        else:
            values = converted(grid.column(spec["from"]), column.physical_type, spec, mapped.form)
        columns[column.name] = pa.array(values, pa.string())
    return pa.table(columns)
