"""The source contracts (ODCS v3.1), parsed once, as the rest of the project reads them.

The three `*.odcs.yaml` files beside this module say what each source delivers. They drive extraction, the raw tables,
the dbt sources and the base rules; nothing else in the project restates a column list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from include.settings import SOURCE_NAMES

FOLDER = Path(__file__).parent
# Numbers of things that staging calls by another name than the sources do; every other number keeps its own. No two sources
# call one number differently.
STAGED_NAMES = {
    "acct_no": "settlement_account_no",
    "agree_no": "agreement_no",
    "amend_no": "amendment_no",
    "app_no": "application_no",
    "cons_no": "account_no",
    "insp_no": "inspection_no",
    "mp_no": "metering_point_no",
    "parent_mp_no": "parent_metering_point_no",
    "pay_no": "payment_no",
    "reopen_of": "reopened_ticket_no",
    "reversed_pay_no": "reversed_payment_no",
    "tran_no": "transformer_no",
}
_CURVE_SLOT = re.compile(r"v([1-9]\d?)")


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` of this table name `target_columns` of `target_table`.

    `match` is `whole` (the whole key), `as_of` (the target has validity rows) or `any_row` (one part of its key).
    """

    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]
    match: str
    is_cross_system: bool


@dataclass(frozen=True)
class Column:
    name: str
    physical_type: str
    is_required: bool
    allowed: tuple[str, ...] | None
    classification: str | None
    description: str

    @property
    def is_amount(self) -> bool:
        """True for an energy or yuan column, whose sum a delivery announces."""
        return (
            self.physical_type.startswith("numeric")
            and bool(re.search(r"kwh|mwh|kvarh|_yuan|_charge|^amount$|^reading$", self.name))
            and not re.search(r"price|per_kva", self.name)
        )


@dataclass(frozen=True)
class Table:
    name: str
    source: str
    description: str
    key: tuple[str, ...]
    update_pattern: str
    cursor_column: str
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = field(default=())
    is_daily: bool = True

    @property
    def is_full_compared(self) -> bool:
        """True where a delivery holds the whole table, so that an absent row is a withdrawn one."""
        return self.update_pattern in ("in_place", "validity_rows")

    @property
    def curve_slots(self) -> list[str]:
        """Names of the slot columns v1 .. v96 in slot order; they land as one array."""
        return [c.name for c in self.columns if _CURVE_SLOT.fullmatch(c.name)] if self.name == "met_interval_96" else []

    @property
    def scalar_columns(self) -> list[Column]:
        slots = set(self.curve_slots)
        return [c for c in self.columns if c.name not in slots]

    @property
    def raw_name(self) -> str:
        return f"raw_{self.source}.{self.name}"

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


@cache
def load_contracts() -> dict[str, dict[str, Table]]:
    """All contracts: source name -> table name -> Table, in the order of the files."""
    from open_data_contract_standard.model import OpenDataContractStandard

    contracts = {}
    for source in SOURCE_NAMES:
        model = OpenDataContractStandard.from_file(str(FOLDER / f"{source}.odcs.yaml"))
        daily = {
            element.strip().split(".")[0]
            for sla in model.slaProperties or []
            if sla.property == "frequency"
            for element in (sla.element or "").split(",")
        }
        contracts[source] = {t.name: _table(source, t, t.name in daily) for t in model.schema_}
    return contracts


@cache
def all_tables() -> dict[str, Table]:
    """Every table of every contract by its name; names are unique over the sources."""
    return {name: table for tables in load_contracts().values() for name, table in tables.items()}


def _properties(model) -> dict:
    return {p.property: p.value for p in model.customProperties or []}


def _table(source: str, model, is_daily: bool) -> Table:
    properties = _properties(model)
    key = tuple(properties["keyColumns"])
    references = [_reference((p.name,), r) for p in model.properties for r in p.relationships or []]
    references += [
        _reference(tuple(c.split(".")[1] for c in r.from_), r) for r in getattr(model, "relationships", None) or []
    ]
    return Table(
        name=model.name,
        source=source,
        description=f"{model.businessName}. {' '.join((model.description or '').split())}",
        key=key,
        update_pattern=properties["updatePattern"],
        cursor_column=properties["cursorColumn"],
        columns=tuple(_column(p) for p in model.properties),
        references=tuple(references),
        is_daily=is_daily,
    )


def _column(model) -> Column:
    allowed = None
    for check in model.quality or []:
        allowed = tuple(str(value) for value in check.arguments["validValues"])
    return Column(
        name=model.name,
        physical_type=model.physicalType,
        is_required=bool(model.required),
        allowed=allowed,
        classification=model.classification,
        description=" ".join((model.description or "").split()),
    )


def _reference(columns: tuple[str, ...], model) -> Reference:
    properties = _properties(model)
    targets = model.to if isinstance(model.to, list) else [model.to]
    names = [re.sub(r"^.*#/schema/", "", t).replace("/properties/", ".") for t in targets]
    return Reference(
        columns=columns,
        target_table=names[0].split(".")[0],
        target_columns=tuple(n.split(".")[1] for n in names),
        match=properties.get("match", "whole"),
        is_cross_system=bool(properties.get("crossSystem")),
    )
