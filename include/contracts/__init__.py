"""The source contracts (ODCS v3.1), parsed once, as the rest of the project reads them.

The three `*.odcs.yaml` files beside this module say what each source delivers. They drive extraction, the raw tables,
the dbt sources and the base rules; nothing else in the project restates a column list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from include.contracts import reading
from include.contracts.declarations import (
    COMPARED_WHOLE,
    Condition,
    Crowd,
    Equation,
    Expectation,
    Identity,
    Order,
    Period,
    RecordIdentity,
    Repeat,
    Sharing,
    Shrinking,
    Where,
)
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
ACCOUNTS = "mkt_customer"  # the table of which a row is an account
_CURVE_SLOT = re.compile(r"v([1-9]\d?)")


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` of this table name `target_columns` of `target_table`.

    `match` is `whole` (the whole key), `as_of` (the target has validity rows) or `any_row` (one part of its key).
    `on_unresolved` says what becomes of a row whose reference leads nowhere: `withhold` its columns that are withholdable, or
    `block` the row. Where `is_total`, every target row that fits `total_where` is referred to. `agrees` lists pairs of an own
    column (or `reference.column`) and the column of the target that must hold the same value. Only rows that fit `where` refer.
    """

    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]
    match: str
    is_cross_system: bool
    on_unresolved: str = "block"
    is_total: bool = False
    total_where: Where = ()
    agrees: tuple[tuple[str, str], ...] = ()
    where: Where = ()


@dataclass(frozen=True)
class Column:
    name: str
    physical_type: str
    is_required: bool
    allowed: tuple[str, ...] | None
    classification: str | None
    description: str
    name_en: str = ""
    name_zh: str = ""
    meaning: str = ""  # what its values stand for, one of `include.contracts.meanings.MEANINGS`
    judged_by: tuple[
        tuple[str, str], ...
    ] = ()  # a judgement by meaning (placeholder, format, range) -> rule that makes it
    plausible: tuple[str | None, str | None] = (
        None,
        None,
    )  # least and most, as text; days may count from business_date
    identity: Identity | None = None
    sharing: Sharing | None = None
    is_withholdable: bool = False  # its value can be left out while the row goes on

    @property
    def is_identifying(self) -> bool:
        """True for a text of a person, which lands as a pseudonym; a personal measure (`raw_score`) stays a number."""
        return self.classification == "personal" and self.is_text

    @property
    def is_text(self) -> bool:
        return bool(re.match(r"text|(var)?char", self.physical_type))

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
    references_by_kind: tuple[Reference, ...] = ()  # of a number whose table another column says
    is_daily: bool = True
    name_en: str = ""
    name_zh: str = ""
    shrinking: Shrinking = field(default=Shrinking())
    keeps_months: int | None = None  # months before that of the business date whose events the source still delivers
    in_force: tuple[str, str] | None = None  # columns of the first and last day of an archive's row
    renews: Where = ()  # rows that go on after their last day
    fact_date: str | None = None  # the column that dates a fact; None for an archive, which is as of the business date
    record_identity: RecordIdentity | None = None  # in what two records of different numbers differ
    repeats: tuple[Repeat, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    order: tuple[Order, ...] = ()
    equations: tuple[Equation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    periods: tuple[Period, ...] = ()
    expected: tuple[Expectation, ...] = ()

    @property
    def is_full_compared(self) -> bool:
        """True where a delivery holds the whole table, so that an absent row is a withdrawn one."""
        return self.update_pattern in COMPARED_WHOLE

    @property
    def event_column(self) -> str | None:
        """The column that dates an event of the table: its first date, time or month besides the cursor; None where it has none."""
        for column in self.columns:
            if column.physical_type in ("date", "timestamptz", "char(6)") and column.name != self.cursor_column:
                return column.name
        return None

    @property
    def curve_slots(self) -> list[str]:
        """Names of the slot columns v1 .. v96 in slot order; they land as one array."""
        return [c.name for c in self.columns if _CURVE_SLOT.fullmatch(c.name)] if self.name == "met_interval_96" else []

    @property
    def scalar_columns(self) -> list[Column]:
        slots = set(self.curve_slots)
        return [c for c in self.columns if c.name not in slots]

    @property
    def identifying_columns(self) -> list[str]:
        return [c.name for c in self.columns if c.is_identifying]

    @property
    def raw_name(self) -> str:
        return f"raw_{self.source}.{self.name}"

    def withheld_by(self, reference: Reference) -> tuple[str, ...]:
        """Columns that go on as null where this reference leads nowhere; where there are none, the row does not go on."""
        if reference.on_unresolved == "block":
            return ()
        return tuple(c for c in reference.columns if self.column(c).is_withholdable)

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


@cache
def load_contracts() -> dict[str, dict[str, Table]]:
    """All contracts: source name -> table name -> Table, in the order of the files."""
    contracts = {}
    for source in SOURCE_NAMES:
        # libyaml: PyYAML's own reader needs a second for them, in every process of a night
        stated = yaml.load((FOLDER / f"{source}.odcs.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        contracts[source] = read_tables(stated, source)[1]
    return contracts


def read_tables(stated: dict, source: str = "") -> tuple[str, dict[str, Table]]:
    """Version and tables of a contract as its YAML states it. Raises what the standard's model raises."""
    from open_data_contract_standard.model import OpenDataContractStandard

    model = OpenDataContractStandard.model_validate(stated)
    daily = {
        element.strip().split(".")[0]
        for sla in model.slaProperties or []
        if sla.property == "frequency"
        for element in (sla.element or "").split(",")
    }
    source = source or model.domain or ""
    return str(model.version), {t.name: _table(source, t, t.name in daily) for t in model.schema_}


@cache
def all_tables() -> dict[str, Table]:
    """Every table of every contract by its name; names are unique over the sources."""
    return {name: table for tables in load_contracts().values() for name, table in tables.items()}


def _properties(model) -> dict:
    return {p.property: p.value for p in model.customProperties or []}


def _table(source: str, model, is_daily: bool) -> Table:
    properties = _properties(model)
    key = tuple(properties["keyColumns"])
    references = [_reference(key, (p.name,), r) for p in model.properties for r in p.relationships or []]
    references += [
        _reference(key, tuple(c.split(".")[1] for c in r.from_), r) for r in getattr(model, "relationships", None) or []
    ]
    return Table(
        name=model.name,
        source=source,
        description=f"{model.businessName} ({properties['businessNameZh']}). {' '.join((model.description or '').split())}",
        key=key,
        update_pattern=properties["updatePattern"],
        cursor_column=properties["cursorColumn"],
        columns=tuple(_column(p) for p in model.properties),
        references=tuple(r for r in references if not r.where),
        references_by_kind=tuple(r for r in references if r.where),
        is_daily=is_daily,
        name_en=model.businessName,
        name_zh=properties["businessNameZh"],
        shrinking=reading.shrinking(properties.get("shrinks")),
        keeps_months=properties.get("keepsMonths"),
        in_force=tuple(properties["inForce"]) if "inForce" in properties else None,
        renews=reading.where(properties.get("renews")),
        fact_date=properties.get("factDate"),
        record_identity=reading.record_identity(properties.get("recordIdentity")),
        crowds=reading.crowds(properties.get("crowds")),
        repeats=reading.repeats(properties.get("repeats")),
        order=reading.orders(properties.get("order")),
        equations=reading.equations(properties.get("equations")),
        conditions=reading.conditions(properties.get("conditions")),
        periods=reading.periods(properties.get("periods")),
        expected=reading.expectations(properties.get("expected")),
    )


def _column(model) -> Column:
    allowed = None
    for check in model.quality or []:
        allowed = tuple(str(value) for value in check.arguments["validValues"])
    properties = _properties(model)
    least, most = properties.get("plausible") or (None, None)
    return Column(
        name=model.name,
        physical_type=model.physicalType,
        is_required=bool(model.required),
        allowed=allowed,
        classification=model.classification,
        description=" ".join((model.description or "").split()),
        name_en=model.businessName or "",
        name_zh=properties.get("businessNameZh", ""),
        meaning=properties.get("meaning", ""),
        judged_by=tuple((properties.get("judgedBy") or {}).items()),
        plausible=(None if least is None else str(least), None if most is None else str(most)),
        identity=reading.identity(properties.get("identity")),
        sharing=reading.sharing(properties.get("sharing")),
        is_withholdable=bool(properties.get("withholdable")),
    )


def _reference(key: tuple[str, ...], columns: tuple[str, ...], model) -> Reference:
    properties = _properties(model)
    targets = model.to if isinstance(model.to, list) else [model.to]
    names = [re.sub(r"^.*#/schema/", "", t).replace("/properties/", ".") for t in targets]
    target_table = names[0].split(".")[0]
    total = properties.get("total")
    return Reference(
        columns=columns,
        target_table=target_table,
        target_columns=tuple(n.split(".")[1] for n in names),
        match=properties.get("match", "whole"),
        is_cross_system=bool(properties.get("crossSystem")),
        on_unresolved=properties.get("onUnresolved") or _default_on_unresolved(key, columns, target_table),
        is_total=bool(total),
        total_where=reading.where(total if isinstance(total, dict) else None),
        agrees=tuple(_agreement(pair) for pair in properties.get("agrees") or ()),
        where=reading.where(properties.get("where")),
    )


def _default_on_unresolved(key: tuple[str, ...], columns: tuple[str, ...], target_table: str) -> str:
    """Without its grain or its account a row means nothing; without another reference it goes on."""
    return "block" if target_table == ACCOUNTS or set(columns) & set(key) else "withhold"


def _agreement(pair: str) -> tuple[str, str]:
    """`cons_no` is called the same on both sides; `bill_no.cons_no = cons_no` is of the row that bill_no refers to."""
    own, _, theirs = pair.partition(" = ")
    return own, theirs or own
