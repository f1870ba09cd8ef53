"""Edits of finished tables: cells, copies and deletions are noted first and applied in one pass."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.contracts import all_tables


class Editor:
    """Notes edits of tables by row number; rows keep their numbers until `apply`."""

    def __init__(self, tables: dict[tuple[str, str], pa.Table]):
        self._tables = tables
        self._cells: dict[str, dict[str, dict[int, object]]] = {}
        self._copies: dict[str, list[tuple[int, dict]]] = {}
        self._gone: dict[str, set[int]] = {}
        self._sorted: dict[tuple[str, str], tuple[dict, np.ndarray, np.ndarray]] = {}

    def table(self, name: str) -> pa.Table:
        """The table as it was before any edit."""
        return self._tables[all_tables()[name].source, name]

    def find(self, name: str, **equals) -> list[int]:
        """Row numbers whose columns equal the given values, in order; the first column should tell most rows apart."""
        (first, value), *others = equals.items()
        rows = self._rows_with(name, first, value)
        for column, value in others:
            found = self.table(name)[column].take(pa.array(rows))
            hit = pc.equal(found, pa.scalar(value, found.type)).combine_chunks()
            rows = rows[pc.fill_null(hit, False).to_numpy(zero_copy_only=False)]
        return rows.tolist()

    def _rows_with(self, name: str, column: str, value) -> np.ndarray:
        if (name, column) not in self._sorted:
            encoded = self.table(name)[column].combine_chunks().dictionary_encode()
            codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
            order = np.argsort(codes, kind="stable")
            edges = np.searchsorted(codes[order], np.arange(len(encoded.dictionary) + 1))
            places = {found: place for place, found in enumerate(encoded.dictionary.to_pylist())}
            self._sorted[name, column] = places, order, edges
        places, order, edges = self._sorted[name, column]
        place = places.get(value)
        return order[:0] if place is None else order[edges[place] : edges[place + 1]]

    def value(self, name: str, row: int, column: str):
        return self.table(name)[column][row].as_py()

    def key(self, name: str, row: int, **changed) -> dict:
        """The key of a row as it stands in findings: dates and instants as text."""
        values = {c: self.value(name, row, c) for c in all_tables()[name].key} | changed
        return {c: v.isoformat() if isinstance(v, (date, datetime)) else v for c, v in values.items()}

    def set(self, name: str, row: int, **values) -> None:
        for column, value in values.items():
            self._cells.setdefault(name, {}).setdefault(column, {})[row] = value

    def copy(self, name: str, row: int, **changes) -> None:
        """Add a row that is like another one but for some columns."""
        self._copies.setdefault(name, []).append((row, changes))

    def delete(self, name: str, rows: list[int]) -> None:
        self._gone.setdefault(name, set()).update(rows)

    def apply(self) -> None:
        """Replace the edited tables; added rows come last."""
        for name in {*self._cells, *self._copies, *self._gone}:
            source = all_tables()[name].source
            original = self._tables[source, name]
            table = self._with_cells(original, self._cells.get(name, {}))
            if gone := self._gone.get(name):
                keep = np.ones(table.num_rows, dtype=bool)
                keep[sorted(gone)] = False
                table = table.filter(pa.array(keep))
            if copies := self._copies.get(name):
                added = original.take(pa.array([row for row, _ in copies]))
                cells: dict[str, dict[int, object]] = {}
                for number, (_, changes) in enumerate(copies):
                    for column, value in changes.items():
                        cells.setdefault(column, {})[number] = value
                table = pa.concat_tables([table, self._with_cells(added, cells)]).combine_chunks()
            self._tables[source, name] = table

    @staticmethod
    def _with_cells(table: pa.Table, cells: dict[str, dict[int, object]]) -> pa.Table:
        for column, values in cells.items():
            kind = table[column].type
            mask = np.zeros(table.num_rows, dtype=bool)
            mask[list(values)] = True
            replacements = pa.array([_fitted(values[row], kind) for row in sorted(values)], type=kind)
            column_now = table[column].combine_chunks()
            changed = pc.replace_with_mask(column_now, pa.array(mask), replacements)
            table = table.set_column(table.schema.get_field_index(column), table.schema.field(column), changed)
        return table


def _fitted(value, kind: pa.DataType):
    if value is not None and pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))
    return value
