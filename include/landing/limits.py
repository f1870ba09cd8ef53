"""From how many rows on a delivery is unusual: the seed `delivery_limits`, and what a table's contract says of its shrinking.

The seed has values for `all` tables, for those that are `shrinking` by their contract, and for single ones. Read as a file:
the first tables land before dbt has loaded any seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from include import seeds
from include.contracts import Table

SEED = "delivery_limits"


@dataclass(frozen=True)
class Limits:
    """The limits of a table on a day; shares are fractions of its rows in force, the others are rows or days."""

    pending_share: Decimal
    pending_rows: Decimal
    block_share: Decimal
    small_table_rows: Decimal
    small_table_share: Decimal
    small_table_least_rows: Decimal
    restated_share: Decimal
    restated_rows: Decimal
    exchanged_days: Decimal

    def is_pending(self, in_force: int, absent: int) -> bool:
        """True where so many of the rows in force, of a table or an office, are not withdrawn without a confirmation."""
        if in_force < self.small_table_rows:
            return absent >= self.small_table_least_rows and absent >= self.small_table_share * in_force
        return absent > max(self.pending_share * in_force, self.pending_rows)

    def blocks(self, in_force: int, absent: int) -> bool:
        """True where even the next delivery does not confirm it."""
        return self.is_pending(in_force, absent) and absent > self.block_share * in_force


def limits_of(table: Table, day: date) -> Limits:
    """The limits in force on a day. Raises LookupError where the seed has none for that day."""
    found: dict[str, Decimal] = {}
    for level in ("all", *(["shrinking"] if table.shrinking.shrinks else []), table.name):  # the narrowest last
        found |= {n: value for t, n, value, first, end in _rows(seeds.text(SEED)) if t == level and first <= day < end}
    own = table.shrinking
    stated = {
        "pending_share": own.pending_share,
        "small_table_share": own.pending_share,
        "block_share": own.block_share,
        "pending_rows": own.rows,
    }
    found |= {name: Decimal(value) for name, value in stated.items() if value is not None}
    missing = sorted(Limits.__dataclass_fields__.keys() - found.keys())
    if missing:
        raise LookupError(f"the seed {SEED} has no {', '.join(missing)} on {day}")
    return Limits(**found)


@lru_cache(maxsize=8)
def _rows(text: str) -> tuple[tuple[str, str, Decimal, date, date], ...]:
    return tuple(
        (
            row["table_name"],
            row["name"],
            Decimal(row["value"]),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max,
        )
        for row in seeds.parsed(text)
    )
