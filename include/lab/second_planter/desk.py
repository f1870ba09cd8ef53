"""The desk at which the second hand works: records of a delivery, drawn, spoilt, removed or added, and the truth of
it.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.contracts import all_tables
from include.lab.second_planter.kinds import RECORDS, Kind, Planted
from include.lab.simulator.editing import Editor

SLOTS = [f"v{n}" for n in range(1, 97)]

# Tables whose records speak of the same thing: no two classes meet in one of these groups of one account
FAMILIES = {
    "met_interval_96": "load",
    "met_register_freeze": "load",
    "met_voltage_daily": "load",
    "met_power_event": "outage",
    "met_supply_outage": "outage",
    "mkt_outage_plan": "plan",
    "mkt_outage_affected": "plan",
    "mkt_outage_notice": "plan",
    "met_measuring_point": "point",
    "met_meter": "point",
    "met_it": "point",
    "mkt_mp": "point",
    "mkt_meter_install": "point",
    "con_metering_annex": "point",
    "mkt_bill": "bill",
    "mkt_bill_line": "bill",
    "mkt_payment": "bill",
    "mkt_penalty": "bill",
    "mkt_account": "bill",
    "mkt_tariff_assign": "tariff",
    "mkt_application": "application",
    "mkt_app_stage": "application",
    "mkt_inspection": "inspection",
    "mkt_hazard": "inspection",
    "con_contract": "contract",
    "con_amendment": "contract",
    "mkt_transformer": "transformer",
    "con_transformer_annex": "transformer",
    "con_trade_agreement": "trade",
    "con_trade_settle": "trade",
    "con_trade_curve": "trade",
}
# By which column, and in which table, a record without a customer number tells whose it is
_OWNERS = (
    ("mp_no", "mkt_mp"),
    ("meter_asset_no", "mkt_meter_install"),
    ("bill_no", "mkt_bill"),
    ("contract_no", "con_contract"),
    ("agree_no", "con_trade_agreement"),
    ("app_no", "mkt_application"),
    ("insp_no", "mkt_inspection"),
    ("terminal_no", "mkt_mp"),
    ("acct_no", "mkt_account"),
)


class Row:
    """A record of a table by its number; cells are read as they were delivered before any defect."""

    def __init__(self, desk: Desk, table: str, number: int):
        self.table, self.number = table, number
        self._desk, self._cells = desk, {}

    def __getitem__(self, column: str):
        if column not in self._cells:
            self._cells[column] = self._desk.edit.value(self.table, self.number, column)
        return self._cells[column]

    @property
    def key(self) -> dict:
        return self._desk.edit.key(self.table, self.number)

    @property
    def slots(self) -> np.ndarray:
        """The 96 values of a curve; nan where a slot was not collected."""
        return np.array([np.nan if self[slot] is None else float(self[slot]) for slot in SLOTS])


class Desk:
    """Draws records that no other class has touched and writes down what is done to them; `apply` changes the tables."""

    def __init__(self, tables: dict[tuple[str, str], pa.Table], business_date: date, days: int, seed: int):
        self.edit, self.seed, self.business_date = Editor(tables), seed, business_date
        self.days = [business_date - timedelta(days=n) for n in range(days)]
        self.truth: list[Planted] = []
        self._places: list[tuple[str, int | None]] = []
        self.claimed: dict[tuple[str, int], str] = {}  # record -> class that has touched it
        self._met: dict[str, set[str]] = defaultdict(set)  # account -> families in which a class has touched it
        self._shut: set[str] = set()  # accounts whose identity is spoilt
        self.rates: dict[
            date, list[str]
        ] = {}  # of the 96 slots of a day, once somebody has read them from the delivery

    def day(self, back: int) -> date:
        """The day so many days before the business date. Raises ValueError where the delivery does not reach back to
        the day before it.
        """
        if back + 2 > len(self.days):
            raise ValueError(f"{len(self.days)} days of curves are too few for the second hand; {back + 2} are needed")
        return self.days[back]

    # --- reading -----------------------------------------------------------------------------------------------------

    def find(self, table: str, **equals) -> list[Row]:
        return [Row(self, table, number) for number in self.edit.find(table, **equals)]

    def one(self, table: str, **equals) -> Row | None:
        return next(iter(self.find(table, **equals)), None)

    def rows(self, table: str, **equals) -> Iterator[Row]:
        if equals:
            return iter(self.find(table, **equals))
        return (Row(self, table, number) for number in range(self.edit.table(table).num_rows))

    def column(self, table: str, column: str) -> list:
        return self.edit.table(table)[column].to_pylist()

    def account(self, row: Row) -> str:
        """Whose record it is; the record's own first key column where it belongs to no account."""
        columns = all_tables()[row.table].key, {c.name for c in all_tables()[row.table].columns}
        if "cons_no" in columns[1] and row["cons_no"]:
            return row["cons_no"]
        for column, table in _OWNERS:
            if column in columns[1] and row[column] in self._owners[column, table]:
                return self._owners[column, table][row[column]]
        return f"{row.table} {row[columns[0][0]]}"

    @cached_property
    def _owners(self) -> dict[tuple[str, str], dict[str, str]]:
        return {
            (column, table): dict(zip(self.column(table, column), self.column(table, "cons_no"), strict=True))
            for column, table in _OWNERS
        }

    # --- drawing -----------------------------------------------------------------------------------------------------

    def draw(
        self, drawer: Kind, table: str, where: Callable[[Row], bool], number: int = RECORDS, apart=True, **equals
    ) -> list[Row]:
        """`number` records of as many accounts (unless not `apart`), in an order drawn from the seed, at accounts
        that no class has met in this family if there are enough. Raises ValueError where the delivery has fewer.
        """
        chosen: list[Row] = []
        owners: set[str] = set()
        candidates = self.shuffled(drawer, table, equals)
        for strict in (True, False):
            for row in candidates:
                if len(chosen) == number:
                    break
                if (table, row.number) in self.claimed:
                    continue
                owner = self.account(row)
                if (apart and owner in owners) or not self._is_free(drawer, owner, table, strict) or not where(row):
                    continue
                chosen.append(row)
                owners.add(owner)
                self.claim(row, drawer)
        if len(chosen) < number:
            raise ValueError(
                f"class {drawer.code}: {len(chosen)} of {number} records of {table}; the utility is too small"
            )
        return chosen

    def _is_free(self, kind: Kind, owner: str, table: str, strict: bool) -> bool:
        if owner in self._shut:
            return False
        if kind.breaks_identity:
            return not self._met[owner]
        return not strict or FAMILIES.get(table, table) not in self._met[owner]

    def shuffled(self, kind: Kind, table: str, equals: dict) -> list[Row]:
        if equals:
            held = pa.array(np.ones(self.edit.table(table).num_rows, dtype=bool))
            for column, value in equals.items():
                found = self.edit.table(table)[column]
                held = pc.and_(held, pc.fill_null(pc.equal(found, pa.scalar(value, found.type)), False))
            numbers = np.flatnonzero(np.asarray(held.combine_chunks() if hasattr(held, "combine_chunks") else held))
        else:
            numbers = np.arange(self.edit.table(table).num_rows)
        order = np.random.default_rng([self.seed, zlib.crc32(kind.code.encode())]).permutation(numbers)
        return [Row(self, table, int(n)) for n in order]

    def claim(self, row: Row, kind: Kind) -> None:
        """Keep other classes off a record, and off its account in the record's family. ValueError where one was
        there.
        """
        holder = self.claimed.setdefault((row.table, row.number), kind.code)
        if holder != kind.code:
            raise ValueError(f"class {kind.code} touches {row.table} {row.key}, which class {holder} has spoilt")
        owner = self.account(row)
        self._met[owner].add(FAMILIES.get(row.table, row.table))
        if kind.breaks_identity:
            self._shut.add(owner)

    # --- spoiling ----------------------------------------------------------------------------------------------------

    def spoil(self, kind: Kind, row: Row, other_keys: tuple[dict, ...] = (), **values) -> None:
        """Give a record wrong values; the truth names it by the key with which it is now delivered."""
        changed_key = {c: _text(v) for c, v in values.items() if c in all_tables()[row.table].key}
        if all(row[column] == value for column, value in values.items()):
            raise ValueError(f"class {kind.code} changes nothing at {row.table} {row.key}")
        self.claim(row, kind)
        self.edit.set(row.table, row.number, **values)
        self.note(kind, row, other_keys, row.key | changed_key, right=row[kind.columns[0]] if kind.columns else None)

    def remove(self, kind: Kind, row: Row, other_keys: tuple[dict, ...] = ()) -> None:
        """A record that should be delivered is not."""
        self.edit.delete(row.table, [row.number])
        self.claim(row, kind)
        self.note(kind, row, other_keys, row.key)

    def add(self, kind: Kind, row: Row, other_keys: tuple[dict, ...] = (), **changes) -> None:
        """A record like another one, but for `changes`, is delivered beside it."""
        self.edit.copy(row.table, row.number, **changes)
        changed_key = {c: _text(v) for c, v in changes.items() if c in all_tables()[row.table].key}
        self.claim(row, kind)
        self.note(kind, row, other_keys, row.key | changed_key)

    def fit(self, kind: Kind, row: Row, **values) -> None:
        """Change a record as the error itself would have changed it, or as someone made it fit; it is not in the
        truth.
        """
        self.claim(row, kind)
        self.edit.set(row.table, row.number, **values)

    def drop(self, kind: Kind, rows: list[Row]) -> None:
        """Records that go with one that is not delivered; they are not in the truth."""
        for row in rows:
            self.claim(row, kind)
            self.edit.delete(row.table, [row.number])

    def draw_curve(self, kind: Kind, row: Row, values: np.ndarray, **changes) -> None:
        """Replace the 96 slots of a curve (`fit`: not in the truth)."""
        self.fit(kind, row, **slots_of(values), **changes)

    def note(self, kind: Kind, row: Row, other_keys: tuple[dict, ...], key: dict, right=None, is_in_place=True) -> None:
        """Write down what was planted; not `is_in_place` where the record has no place in the file beside `row`."""
        near = tuple({c: _text(row[c]) for c in group} for group in kind.near)
        right = None if right is None else str(right)
        self._places.append((row.table, row.number if is_in_place else None))
        self.truth.append(Planted(kind, key, (*other_keys, *near), (), right))

    def _neighbours(self, table: str, number: int | None) -> tuple[dict, ...]:
        """Keys of the two records behind it in the file, where no class has touched them."""
        if number is None:
            return ()
        behind = range(number + 1, min(number + 3, self.edit.table(table).num_rows))
        return tuple(self.edit.key(table, n) for n in behind if (table, n) not in self.claimed)

    def apply(self) -> list[Planted]:
        """Change the tables; what was planted, each with the neighbours that nothing was done to."""
        spared = [self._neighbours(*place) for place in self._places]
        self.edit.apply()
        return [replace(planted, spared=keys) for planted, keys in zip(self.truth, spared, strict=True)]


def slots_of(values: np.ndarray) -> dict:
    return {slot: None if np.isnan(v) else round(float(v), 4) for slot, v in zip(SLOTS, values, strict=True)}


def _text(value):
    return value.isoformat() if hasattr(value, "isoformat") else value
