"""Connections by address, and the columns of raw tables.

Modules that are still handed an address connect here; those that are handed a `Warehouse` ask it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import psycopg

from include.contracts import Table
from include.records.warehouse import Warehouse

SCHEMAS = (
    "raw_metering",
    "raw_marketing",
    "raw_contract",
    "staging",
    "quality",
    "transform",
    "warehouse",
    "candidate",
    "publish",
    "marts",
    "vault",
    "marts_personal",
)


def connect(
    place: str | Warehouse, *, fence: str = "", role: str | None = None, autocommit: bool = False
) -> AbstractContextManager[psycopg.Connection]:
    """A connection to an address, with this fence and in this role, or to a warehouse as that says."""
    warehouse = place if isinstance(place, Warehouse) else Warehouse(place, fence, role)
    return warehouse.connect(autocommit=autocommit)


def raw_columns(table: Table) -> list[tuple[str, str]]:
    """Business columns of a raw table with their types: the contract's, but a curve's slots as one array, and pseudonyms as text."""
    columns = [(c.name, "text" if c.is_identifying else c.physical_type) for c in table.scalar_columns]
    return columns + ([("v", "double precision[]")] if table.curve_slots else [])
