"""Which delivered values have the contract's type. Checked on whole columns, so that the database never meets a bad one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from include.contracts import Table
from include.landing.delivery import LINE

_ZONE = r"( ?(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?))?"
_TIME = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_SAFE_DAY = r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
# Blanks around a value are as harmless here as they are to the database. A spreadsheet's date cell reads as midnight.
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
_INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)
_DATE = re.compile(r"\s*(\d{4}-\d{2}-\d{2})([ T]00:00:00)?\s*", re.ASCII)
_TIMESTAMP = re.compile(r"\s*(\d{4}-\d{2}-\d{2})[ T]" + _TIME + _ZONE + r"\s*", re.ASCII)
_BOOLEAN = r"^\s*(?i:true|false|t|f|1|0)\s*$"
_INTEGER_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_SAFE_DIGITS = {"smallint": 4, "integer": 9, "bigint": 18}
# A spreadsheet turns a long number into 1.23E+21 and the digits are gone.
_MANGLED = r"^\s*\d([.,]\d+)?[eE]\+\d{1,3}\s*$"
_FEWEST_OF_A_RETYPED_COLUMN = 10  # fewer bad values than this are bad rows, even when they are all that came


@dataclass
class Rejected:
    """One row that cannot land: its index in the delivery, its first bad column, that one's text, and the reason.

    `key_is_bad` where any key column is among the bad ones: the row then cannot be matched with what landed before.
    """

    index: int
    column_name: str
    value_text: str | None
    reason: str
    key_is_bad: bool = False


class RetypedColumn(ValueError):
    """Every value of a column fails its type: not bad rows but another column."""


def check_types(table: Table, rows: pa.Table) -> list[Rejected]:
    """Rows with a value that does not cast to the contract's type, one entry per row (its first bad column).

    Raises RetypedColumn where no value of a typed column casts and there are at least ten.
    """
    rejected: dict[int, Rejected] = {}
    for column in table.columns:
        values = rows.column(column.name).combine_chunks()
        good, reason = fits(values, column.physical_type)
        bad = pc.fill_null(pc.invert(good), False)
        count = pc.sum(bad).as_py() or 0
        if not count:
            continue
        filled = len(values) - values.null_count
        if count == filled >= _FEWEST_OF_A_RETYPED_COLUMN and column.physical_type != "text":
            example = (
                "" if column.classification == "personal" else f" (the first is {values.filter(bad)[0].as_py()!r})"
            )
            raise RetypedColumn(
                f"column {column.name} is not {column.physical_type} in any of its {filled} values{example}"
            )
        for index in pc.indices_nonzero(bad).to_pylist():
            entry = rejected.setdefault(index, Rejected(index, column.name, str(values[index].as_py()), reason))
            entry.key_is_bad |= column.name in table.key
    return sorted(rejected.values(), key=lambda r: r.index)


def fits(values: pa.Array, physical_type: str) -> tuple[pa.Array, str]:
    """Per value whether it casts (null where the value is null), and the reason to give where it does not."""
    if pa.types.is_floating(values.type):  # a curve's slot, delivered as a number
        return pc.is_finite(values), "is not a number"
    if physical_type == "numeric":  # a curve's slots land as double precision
        return _checked(values, r"^-?\d{1,30}(\.\d{1,30})?$", _is_double), "is not a number"
    if limit := re.fullmatch(r"numeric\((\d+),(\d+)\)", physical_type):
        precision, scale = int(limit[1]), int(limit[2])
        quick = rf"^-?\d{{1,{precision - scale}}}(\.\d{{1,{scale}}})?$"
        return _checked(
            values, quick, lambda text: _is_numeric(text, precision, scale)
        ), f"is no number of {physical_type}"
    if size := _INTEGER_LIMITS.get(physical_type):
        quick = rf"^-?\d{{1,{_SAFE_DIGITS[physical_type]}}}$"
        return _checked(values, quick, lambda text: _is_integer(text, size)), f"is no whole number of {physical_type}"
    if physical_type == "date":
        return _checked(values, f"^{_SAFE_DAY}$", lambda text: _is_day(_DATE, text)), "is not a date YYYY-MM-DD"
    if physical_type == "timestamptz":
        quick = f"^{_SAFE_DAY}[ T]{_TIME}{_ZONE}$"
        return _checked(
            values, quick, lambda text: _is_day(_TIMESTAMP, text)
        ), "is not a time YYYY-MM-DD hh:mm:ss+08:00"
    if physical_type == "boolean":
        return pc.match_substring_regex(values, _BOOLEAN), "is not true or false"
    if limit := re.fullmatch(r"(?:var)?char\((\d+)\)", physical_type):
        good, reason = pc.less_equal(pc.utf8_length(values), int(limit[1])), f"is longer than {physical_type}"
    else:
        good = pc.invert(pc.match_substring_regex(values, _MANGLED))
        reason = "is a number mangled by a spreadsheet; write it out in full, as text"
    has_null = pc.match_substring(values, "\0")
    if pc.any(has_null).as_py():
        return pc.and_(good, pc.invert(has_null)), f"{reason}, or holds a null character"
    return good, reason


def _checked(values: pa.Array, quick: str, exact: Callable[[str], bool]) -> pa.Array:
    """True where a value matches `quick`, which only good values match, or else where `exact` says so."""
    good = pc.match_substring_regex(values, quick)
    doubtful = pc.unique(values.filter(pc.invert(good)))
    if not len(doubtful):
        return good
    right = pa.array([text for text in doubtful.to_pylist() if exact(text)], pa.string())
    return pc.or_(good, pc.is_in(values, right))


def _is_double(text: str) -> bool:
    """Neither too large for double precision nor so small that it would become zero."""
    if not _NUMBER.fullmatch(text):
        return False
    number = float(text)
    return math.isfinite(number) and (number != 0 or not Decimal(text.strip()))


def _is_numeric(text: str, precision: int, scale: int) -> bool:
    """The database rounds to the scale, half away from zero, and refuses what then needs too many digits."""
    if not _NUMBER.fullmatch(text):
        return False
    return abs(Decimal(text.strip())) < Decimal(10) ** (precision - scale) - Decimal(5) / 10 ** (scale + 1)


def _is_integer(text: str, size: int) -> bool:
    return bool(_INTEGER.fullmatch(text)) and -size <= int(text) < size


def _is_day(shape: re.Pattern, text: str) -> bool:
    found = shape.fullmatch(text)
    try:
        return bool(found) and bool(date.fromisoformat(found[1]))
    except ValueError:
        return False


def rounded(table: Table, rows: pa.Table) -> list[str]:
    """Of each column with more decimals than the contract's: how many values the database rounds, and where the first is."""
    said = []
    for column in table.scalar_columns:
        limit = re.fullmatch(r"numeric\(\d+,(\d+)\)", column.physical_type)
        values = rows.column(column.name).combine_chunks()
        if not limit or not pa.types.is_string(values.type):
            continue
        scale = int(limit[1])
        longer = pc.fill_null(pc.match_substring_regex(values, rf"\.\d{{{scale}}}\d*[1-9]|[eE]"), False)
        at = [n for n in pc.indices_nonzero(longer).to_pylist() if _has_more_decimals(values[n].as_py(), scale)]
        if at:
            count = "1 value" if len(at) == 1 else f"{len(at):,} values"
            said.append(
                f"{count} of {column.name} with more than {scale} decimals rounded to them;"
                f" the first is in line {rows.column(LINE)[at[0]]}"
            )
    return said


def _has_more_decimals(text: str, scale: int) -> bool:
    """False for what is no number: its row is rejected."""
    return bool(_NUMBER.fullmatch(text)) and -Decimal(text.strip()).normalize().as_tuple().exponent > scale


def as_csv_columns(table: Table, rows: pa.Table) -> pa.Table:
    """The rows as COPY takes them: `_file_line`, the scalar columns as text, and a curve's slots as one array literal."""
    columns = {LINE: rows.column(LINE)}
    columns |= {c.name: rows.column(c.name) for c in table.scalar_columns}
    if table.curve_slots:
        texts = [pc.cast(rows.column(name), pa.string()) for name in table.curve_slots]
        joined = pc.binary_join_element_wise(*texts, ",", null_handling="replace", null_replacement="NULL")
        columns["v"] = pc.binary_join_element_wise("{", joined, "}", "")
    return pa.table(columns)
