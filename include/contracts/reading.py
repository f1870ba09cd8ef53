"""Declarations as a contract's YAML states them become the types of `include.contracts.declarations`; `./kaw lint` checks them before."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from include.contracts.declarations import (
    MARKS,
    NEVER,
    Channel,
    Child,
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
    split,
)


def shrinking(value) -> Shrinking:
    if isinstance(value, bool) or value is None:
        return Shrinking(bool(value))
    return Shrinking(
        shrinks=value.get("shrinks", True),
        pending_share=_decimal(value.get("pendingShare")),
        block_share=_decimal(value.get("blockShare")),
        rows=value.get("rows"),
    )


def orders(entries: list[Mapping] | None) -> tuple[Order, ...]:
    return tuple(
        Order(tuple(e["columns"]), e.get("severity", "warn"), e.get("toleranceMinutes", 0), e.get("rule"))
        for e in entries or []
    )


def conditions(entries: list[Mapping] | None) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            column=e["column"],
            be=e["is"] if isinstance(e["is"], str) else tuple(str(value) for value in e["is"]),
            where=where(e.get("where")),
            given=tuple(e.get("given") or ()),
            since=e.get("since"),
            due_days=e.get("dueDays", 0),
            severity=e.get("severity", "warn"),
            rule=e.get("rule"),
        )
        for e in entries or []
    )


def periods(entries: list[Mapping] | None) -> tuple[Period, ...]:
    return tuple(
        Period(tuple(e["by"]), where(e.get("where")), bool(e.get("gapless")), e.get("severity", "warn"), e.get("rule"))
        for e in entries or []
    )


def equations(entries: list[Mapping] | None) -> tuple[Equation, ...]:
    return tuple(
        Equation(
            name=e["name"],
            **split(e["states"]),
            tolerance=_decimal(e.get("tolerance", 0)),
            unit=e.get("unit", ""),
            where=where(e.get("where")),
            children=tuple((name, _child(child)) for name, child in (e.get("children") or {}).items()),
            severity=e.get("severity", "warn"),
            rule=e.get("rule"),
        )
        for e in entries or []
    )


def expectations(entries: list[Mapping] | None) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            what=e["what"],
            each=e["each"],
            archive=e["archive"],
            by=tuple(e["by"].items()),
            where=where(e.get("where")),
            since=e.get("since"),
            until=e.get("until"),
            rows=where(e.get("rows")),
            channels=tuple(
                Channel(where(c["values"]), where(c.get("where")), tuple(c.get("filled") or ()))
                for c in e.get("channels") or []
            ),
            any_filled=tuple(e.get("anyFilled") or ()),
            date=e.get("date"),
            date_closes_day_before=bool(e.get("dateClosesDayBefore")),
            due_days=e.get("dueDays", 0),
            rule=e.get("rule"),
        )
        for e in entries or []
    )


def record_identity(value: Mapping | None) -> RecordIdentity | None:
    if not value:
        return None
    return RecordIdentity(
        columns=tuple(value["columns"]),
        time=value.get("time"),
        within_minutes=value.get("withinMinutes", 0),
        corrects=tuple(value.get("corrects") or ()),
        where=where(value.get("where")),
        rule=value.get("rule"),
    )


def identity(value: Mapping | None) -> Identity | None:
    return Identity(tuple(value["holder"]), value.get("shared", NEVER), value.get("rule")) if value else None


def sharing(value: Mapping | None) -> Sharing | None:
    if not value:
        return None
    return Sharing(
        holder=tuple(value.get("holder") or ()),
        at_most=value.get("atMost"),
        at_most_share=_decimal(value.get("atMostShare")),
        is_within_payer=bool(value.get("withinPayer")),
        longer_than=value.get("longerThan", 0),
        days=value.get("days", 0),
        differs_from=tuple(value.get("differsFrom") or ()),
    )


def repeats(entries: list[Mapping] | None) -> tuple[Repeat, ...]:
    return tuple(
        Repeat(tuple(e["series"]), e["along"], tuple(e["columns"]), e.get("rows"), e["least"]) for e in entries or []
    )


def crowds(entries: list[Mapping] | None) -> tuple[Crowd, ...]:
    found = []
    for e in entries or []:
        (mark,) = [m for m in MARKS if m in e]
        columns = tuple(e[mark]) if isinstance(e[mark], list) else (e[mark],)
        found.append(
            Crowd(e["what"], tuple(e["by"]), mark, columns, _decimal(e["share"]), e.get("date"), where(e.get("where")))
        )
    return tuple(found)


def where(value: Mapping | None) -> Where:
    return tuple((column, tuple(str(v) for v in values)) for column, values in (value or {}).items())


def _child(value: Mapping) -> Child:
    return Child(value["table"], value.get("sum"), where(value.get("where")), tuple(value.get("by") or ()))


def _decimal(value) -> Decimal | None:
    return None if value is None else Decimal(str(value))
