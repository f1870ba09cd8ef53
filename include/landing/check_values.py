"""What values of a source would not pass, told before anything lands: in the words in which landing rejects a row or a rule
made from the contract names it. Types, filled columns, lists of codes, formats of numbers, repeated keys, references.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from include import seeds
from include.contracts import Column, Reference, Table, all_tables
from include.contracts.meanings import MEANINGS
from include.landing.cast import RetypedColumn, check_types
from include.landing.delivery import LINE

FORMATS = "quality_formats"
OF_NUMBERS = "any_number"  # meanings with this format are numbers of things: no spelling but width and blanks


@dataclass
class BadValues:
    """Values of one column that fail for one reason: how many rows, and the first of them. No value of a personal column."""

    source: str
    table: str
    column: str
    problem: str
    rows: int
    file: str | None = None
    line: int | None = None
    value: str | None = None

    @property
    def place(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line) if part)


@dataclass
class Seen:
    """What was looked at of all tables: the keys that rows may refer to, and the references to follow once all are known."""

    bad: list[BadValues] = field(default_factory=list)
    _targets: dict[tuple[str, tuple[str, ...]], set] = field(default_factory=dict)
    _referring: list[tuple[str, Table, Reference, str | None, pa.Table]] = field(default_factory=list)

    def forget(self, source: str) -> None:
        """Drops what was seen of a source that broke off."""
        self.bad = [bad for bad in self.bad if bad.source != source]
        self._referring = [entry for entry in self._referring if entry[0] != source]

    def look(self, source: str, table: Table, rows: pa.Table, day: date, file: str | None = None) -> None:
        """Judges rows of a source, every column as text beside `_file_line`; `file` is None for those of a database."""
        found = _Found(source, table, rows, file)
        try:
            for row in check_types(table, rows):
                found.add(table.column(row.column_name), row.reason, [row.index])
        except RetypedColumn as error:
            self.bad.append(BadValues(source, table.name, "", str(error), rows.num_rows, file))
        for column in table.scalar_columns:
            values = rows.column(column.name).combine_chunks()
            if pa.types.is_string(values.type):
                _judge(found, column, pc.utf8_trim_whitespace(values), day)
        _repeated_keys(found)
        self.bad += found.bad.values()
        for reference in table.references:
            wanted = rows.select([LINE, *reference.columns])
            if pc.any(pc.is_valid(wanted.column(reference.columns[0]))).as_py():
                self._referring.append((source, table, reference, file, wanted))

    @staticmethod
    def wanted(table: Table) -> set[tuple[str, ...]]:
        """Columns of a table by which rows of others name its rows."""
        return {
            r.target_columns
            for other in all_tables().values()
            for r in other.references
            if r.target_table == table.name
        }

    def keep_targets(self, table: Table, columns: tuple[str, ...], rows: pa.Table) -> None:
        self._targets.setdefault((table.name, columns), set()).update(_keys(rows, columns))

    def follow_references(self) -> None:
        """Rows whose reference leads to no row of a table that was delivered."""
        for source, table, reference, file, rows in self._referring:
            there = self._targets.get((reference.target_table, reference.target_columns))
            if not there:
                continue
            lost = [n for n, key in enumerate(_keys(rows, reference.columns)) if None not in key and key not in there]
            if lost:
                found = _Found(source, table, rows, file)
                expected = f"is no row of {reference.target_table} with this {', '.join(reference.target_columns)}"
                found.add(table.column(reference.columns[0]), expected, lost)
                self.bad += found.bad.values()
        self._referring.clear()


@dataclass
class _Found:
    source: str
    table: Table
    rows: pa.Table
    file: str | None
    bad: dict[tuple[str, str], BadValues] = field(default_factory=dict)

    def add(self, column: Column, problem: str, indices: Iterable[int]) -> None:
        for index in indices:
            entry = self.bad.get((column.name, problem))
            if entry is None:
                value = None if column.classification == "personal" else self.rows.column(column.name)[index].as_py()
                line = self.rows.column(LINE)[index].as_py() if self.file else None
                entry = BadValues(self.source, self.table.name, column.name, problem, 0, self.file, line, value)
                self.bad[column.name, problem] = entry
            entry.rows += 1


def _judge(found: _Found, column: Column, values: pa.Array, day: date) -> None:
    empty = pc.or_kleene(pc.is_null(values), pc.equal(values, ""))
    if column.is_required or column.name in found.table.key:
        found.add(column, "is empty, the contract requires a value", pc.indices_nonzero(empty).to_pylist())
    if column.allowed:
        listed = pc.or_(empty, pc.is_in(values, pa.array(column.allowed)))
        found.add(
            column, f"is not one of {', '.join(column.allowed)}", pc.indices_nonzero(pc.invert(listed)).to_pylist()
        )
    formats = MEANINGS[column.meaning].formats if column.meaning else ()
    if column.allowed or OF_NUMBERS not in formats:
        return
    is_good, words = _format(column.meaning, day)
    if is_good:
        texts = values.to_pylist()
        found.add(column, f"is not {words}", [n for n, text in enumerate(texts) if text and not is_good(text)])


def _format(meaning: str, day: date) -> tuple[Callable[[str], bool] | None, str]:
    """Whether a text has the format of a number of this meaning on a day, and the format in words; None where none is stated."""
    return _stated_format(meaning, day, seeds.text(FORMATS))


@lru_cache(maxsize=256)
def _stated_format(meaning: str, day: date, text: str) -> tuple[Callable[[str], bool] | None, str]:
    of_meaning = [row for row in seeds.parsed(text) if (row["meaning"], row["holds"]) == (meaning, "true")]
    stated = [row for row in of_meaning if row["valid_from"] <= f"{day}" < (row["valid_to"] or "9999-12-31")]
    if not stated:
        return None, ""
    patterns = [re.compile(row["pattern"]) for row in stated]

    @cache
    def is_good(text: str) -> bool:
        # one spelling as quality.plain_text makes it; no database is needed to look at a source
        plain = " ".join(unicodedata.normalize("NFKC", text).split())
        return any(pattern.search(plain) for pattern in patterns)

    return is_good, " or ".join(sorted(row["described"] for row in stated))


def _repeated_keys(found: _Found) -> None:
    """Rows of one key with different contents; equal copies of a row land once."""
    table, rows = found.table, found.rows
    if rows.num_rows < 2:
        return
    keys = _keys(rows, table.key)
    if len(set(keys)) == len(keys):
        return
    first: dict[tuple, int] = {}
    again = [n for n, key in enumerate(keys) if None not in key and first.setdefault(key, n) != n]
    names = [c.name for c in table.columns]
    content = {n: rows.slice(n, 1).select(names).to_pylist()[0] for n in {*again, *(first[keys[n]] for n in again)}}
    others = [n for n in again if content[n] != content[first[keys[n]]]]
    found.add(table.column(table.key[0]), f"is not one row for each {', '.join(table.key)}", others)


def _keys(rows: pa.Table, columns: tuple[str, ...]) -> list[tuple]:
    texts = [pc.utf8_trim_whitespace(pc.cast(rows.column(name), pa.string())).to_pylist() for name in columns]
    return list(zip(*texts, strict=True))
