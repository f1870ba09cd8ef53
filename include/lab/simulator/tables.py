"""Arrow tables in the columns, order and types of the contracts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa

from include.contracts import load_contracts

TIMESTAMP = pa.timestamp("us", "Asia/Shanghai")
_EIGHT_HOURS = np.timedelta64(8 * 3600, "s")


@dataclass(frozen=True)
class Fixed:
    """Exact decimals: `units` integers of 10^-scale; `null` marks absent values."""

    units: np.ndarray
    scale: int
    null: np.ndarray | None = None


def arrow_type(physical_type: str) -> pa.DataType:
    """The Arrow type of a PostgreSQL type of the contracts."""
    if match := re.fullmatch(r"numeric\((\d+),(\d+)\)", physical_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    if re.match(r"(varchar|char)\(", physical_type):
        return pa.string()
    return {
        "text": pa.string(),
        "numeric": pa.float64(),
        "date": pa.date32(),
        "timestamptz": TIMESTAMP,
        "boolean": pa.bool_(),
        "integer": pa.int32(),
        "smallint": pa.int16(),
        "bigint": pa.int64(),
    }[physical_type]


def build(source: str, name: str, columns: dict) -> pa.Table:
    """A table of the contract from columns by name; a column that is not given is null.

    Texts are lists or object arrays, instants numpy datetime64 in local time (Asia/Shanghai), decimals `Fixed`,
    integers, floats or Decimal. Raises KeyError for a column that the contract does not know.
    """
    table = load_contracts()[source][name]
    unknown = set(columns) - {c.name for c in table.columns}
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    size = next((_length(values) for values in columns.values() if _length(values) is not None), 0)
    arrays, fields = [], []
    for column in table.columns:
        kind = arrow_type(column.physical_type)
        arrays.append(_to_arrow(columns.get(column.name), kind, size))
        fields.append(pa.field(column.name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def from_rows(source: str, name: str, rows: list[dict]) -> pa.Table:
    """A table of the contract from dictionaries; for the small tables."""
    names = {key: None for row in rows for key in row}
    return build(source, name, {key: [row.get(key) for row in rows] for key in names})


def months_as_text(months: np.ndarray) -> np.ndarray:
    """YYYYMM of datetime64[M] values."""
    text = np.datetime_as_string(months.astype("datetime64[M]"))
    return np.char.replace(text, "-", "")


def _length(values) -> int | None:
    if isinstance(values, Fixed):
        return len(values.units)
    return len(values) if isinstance(values, (list, np.ndarray, pa.Array, pa.ChunkedArray)) else None


def _to_arrow(values, kind: pa.DataType, size: int):
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.cast(kind)
    if values is None:
        return pa.nulls(size, kind)
    if not isinstance(values, (list, np.ndarray, Fixed)):
        values = [values] * size
    if pa.types.is_decimal(kind):
        return _decimals(values, kind)
    if pa.types.is_timestamp(kind):
        local = np.asarray(
            [np.datetime64("NaT") if v is None else v for v in values] if isinstance(values, list) else values,
            dtype="datetime64[us]",
        )
        return pa.array(local - _EIGHT_HOURS, type=pa.timestamp("us", "UTC")).cast(kind)
    if pa.types.is_date(kind):
        days = np.asarray(
            [np.datetime64("NaT") if v is None else v for v in values] if isinstance(values, list) else values,
            dtype="datetime64[D]",
        )
        return pa.array(days, type=kind)
    if pa.types.is_string(kind):
        if isinstance(values, np.ndarray) and values.dtype.kind == "U":
            return pa.array(values.astype(object), type=kind)
        return pa.array([None if v is None else str(v) for v in values], type=kind)
    if isinstance(values, Fixed):
        floats = values.units / 10.0**values.scale
        return pa.array(floats, type=kind, mask=values.null)
    if isinstance(values, list):
        return pa.array(
            [None if v is None else v.item() if isinstance(v, np.generic) else v for v in values],
            type=kind,
            from_pandas=True,
        )
    return pa.array(values).cast(kind)


def _decimals(values, kind: pa.Decimal128Type) -> pa.Array:
    if isinstance(values, list):
        step = Decimal(1).scaleb(-kind.scale)
        exact = [None if v is None else Decimal(str(v)).quantize(step, ROUND_HALF_UP) for v in values]
        return pa.array(exact, type=kind)
    if isinstance(values, Fixed):
        factor = 10 ** (kind.scale - values.scale)
        return _decimals_of_units(values.units.astype(np.int64) * factor, values.null, kind)
    null = np.isnan(values) if values.dtype.kind == "f" else None
    filled = values if null is None else np.where(null, 0.0, values)
    units = np.rint(filled * 10.0**kind.scale) if values.dtype.kind == "f" else filled.astype(np.int64) * 10**kind.scale
    return _decimals_of_units(units.astype(np.int64), null, kind)


def _decimals_of_units(units: np.ndarray, null: np.ndarray | None, kind: pa.Decimal128Type) -> pa.Array:
    """Decimals from integers of 10^-scale: each is 16 bytes, low word first, the sign extended into the high word."""
    words = np.empty((len(units), 2), dtype=np.int64)
    words[:, 0] = units
    words[:, 1] = units >> 63
    validity = None
    if null is not None and null.any():
        validity = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes())
    return pa.Array.from_buffers(kind, len(units), [validity, pa.py_buffer(words)])
