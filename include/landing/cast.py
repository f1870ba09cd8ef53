"""Which delivered values have the contract's type. Checked on whole columns, so that the database never meets a bad one."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from include.contracts import Table
from include.landing.delivery import LINE

_PATTERNS = {
    "number": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$",
    "integer": r"^[+-]?\d{1,18}$",
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "timestamp": r"^\d{4}-\d{2}-\d{2}[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)? ?(Z|[+-]\d{2}(:?\d{2})?)?$",
    "boolean": r"^(?i:true|false|t|f)$",
}
_INTEGER_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
# A spreadsheet turns a long number into 1.23E+21 and the digits are gone.
_MANGLED = r"^\d(\.\d+)?[eE]\+\d{1,3}$"


@dataclass
class Rejected:
    """One row that cannot land: its index in the delivery, the first bad column, its text and the reason."""

    index: int
    column_name: str
    value_text: str | None
    reason: str


class RetypedColumn(ValueError):
    """Every value of a column fails its type: not bad rows but another column."""


def check_types(table: Table, rows: pa.Table) -> list[Rejected]:
    """Rows with a value that does not cast to the contract's type, one entry per row (its first bad column).

    Raises RetypedColumn where no value of a column casts and there are at least ten.
    """
    rejected: dict[int, Rejected] = {}
    for column in table.columns:
        values = rows.column(column.name).combine_chunks()
        if pa.types.is_floating(values.type):
            continue
        good, reason = _casts(values, column.physical_type, column.name)
        bad = pc.fill_null(pc.invert(good), False)
        count = pc.sum(bad).as_py() or 0
        if not count:
            continue
        filled = len(values) - values.null_count
        if count == filled and filled >= 10:
            example = "" if column.classification == "personal" else f" (the first is {values.filter(bad)[0].as_py()!r})"
            raise RetypedColumn(f"column {column.name} is not {column.physical_type} in any of its {filled} values{example}")
        for index in pc.indices_nonzero(bad).to_pylist():
            rejected.setdefault(index, Rejected(index, column.name, values[index].as_py(), reason))
    return sorted(rejected.values(), key=lambda r: r.index)


def _casts(values: pa.Array, physical_type: str, name: str) -> tuple[pa.Array, str]:
    """Per value whether it casts (null where the value is null), and the reason to give where it does not."""
    if physical_type.startswith("numeric"):
        good = pc.match_substring_regex(values, _PATTERNS["number"])
        limit = re.fullmatch(r"numeric\((\d+),(\d+)\)", physical_type)
        if limit and pc.all(good, skip_nulls=True).as_py() is not False:
            digits = int(limit[1]) - int(limit[2])
            numbers = pc.cast(values, pa.float64())
            good = pc.less(pc.abs(numbers), 10.0**digits)
            return good, f"does not fit {physical_type}"
        return good, f"is not a number ({physical_type})"
    if physical_type in _INTEGER_LIMITS:
        good = pc.match_substring_regex(values, _PATTERNS["integer"])
        if pc.all(good, skip_nulls=True).as_py() is not False:
            numbers = pc.cast(values, pa.int64())
            limit = _INTEGER_LIMITS[physical_type]
            good = pc.and_(pc.greater_equal(numbers, -limit), pc.less(numbers, limit))
        return good, f"is not a whole number ({physical_type})"
    if physical_type == "date":
        return _real_days(values, pc.match_substring_regex(values, _PATTERNS["date"])), "is not a date YYYY-MM-DD"
    if physical_type == "timestamptz":
        good = pc.match_substring_regex(values, _PATTERNS["timestamp"])
        return _real_days(values, good), "is not a time YYYY-MM-DD hh:mm:ss+08:00"
    if physical_type == "boolean":
        return pc.match_substring_regex(values, _PATTERNS["boolean"]), "is not true or false"
    if limit := re.fullmatch(r"(?:var)?char\((\d+)\)", physical_type):
        return pc.less_equal(pc.utf8_length(values), int(limit[1])), f"is longer than {physical_type}"
    if name.endswith("_no"):
        mangled = pc.match_substring_regex(values, _MANGLED)
        return pc.invert(mangled), "is a number mangled by a spreadsheet; write the identifier out in full, as text"
    return pc.invert(pc.match_substring(values, "\0")), "holds a null character"


def _real_days(values: pa.Array, shaped: pa.Array) -> pa.Array:
    """Of the values shaped like a date, those whose day exists."""
    days = pc.utf8_slice_codeunits(values, 0, 10)
    unreal = [d for d in pc.unique(days.filter(pc.fill_null(shaped, False))).to_pylist() if not _is_real(d)]
    return pc.and_(shaped, pc.invert(pc.is_in(days, pa.array(unreal, pa.string())))) if unreal else shaped


def _is_real(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def as_csv_columns(table: Table, rows: pa.Table) -> pa.Table:
    """The rows as COPY takes them: `_file_line`, the scalar columns as text, and a curve's slots as one array literal."""
    columns = {LINE: rows.column(LINE)}
    columns |= {c.name: rows.column(c.name) for c in table.scalar_columns}
    if table.curve_slots:
        texts = [pc.cast(rows.column(name), pa.string()) for name in table.curve_slots]
        joined = pc.binary_join_element_wise(*texts, ",", null_handling="replace", null_replacement="NULL")
        columns["v"] = pc.binary_join_element_wise("{", joined, "}", "")
    return pa.table(columns)
