"""Careless edits of a contract: each entry of a declaration dropped, and each of its parts changed by a step, in the rule made of it.

A change of which the engine makes the same rule is none, nor is one that it cannot make a rule of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from unittest.mock import patch

from include.contracts import Column, Table, all_tables
from include.contracts.declarations import EMPTY, FILLED, MARKS, RELATIONS, SHARED, Order, RecordIdentity
from include.contracts.meanings import DAY, MEANINGS, NUMBER, TIME
from include.quality.condition_rules import condition_rule
from include.quality.copy_rules import copy_rule
from include.quality.crowding_rules import crowding_rule
from include.quality.equation_rules import equation_rule
from include.quality.meaning_rules import meaning_rule
from include.quality.period_rules import period_rule
from include.quality.reference_rules import reference_rule
from include.quality.repeat_rules import repeat_rule
from include.quality.rules import Rule
from include.quality.sharing_rules import sharing_rule
from include.quality.time_rules import time_rule
from tests.rules.mutations import Mutant, emptied, without_first_look

# Family -> its engine, and the properties of a table and of a column that it reads.
ENGINES = {
    "REF": (reference_rule, ("references", "references_by_kind", "renews", "fact_date"), ("identity",)),
    "EQU": (equation_rule, ("equations", "fact_date"), ("judged_by",)),
    "TIM": (time_rule, ("order", "fact_date"), ()),
    "SEM": (meaning_rule, (), ("meaning", "plausible", "judged_by")),
    "IFF": (condition_rule, ("conditions",), ()),
    "PER": (period_rule, ("periods",), ()),
    "DUP": (copy_rule, ("record_identity",), ()),
    "SHA": (sharing_rule, ("renews", "fact_date"), ("sharing",)),
    "REP": (repeat_rule, ("repeats",), ()),
    "CRD": (crowding_rule, ("crowds", "renews"), ()),
}
TEXT_OF_READERS = ("name", "unit", "what", "rule", "target_table", "target_columns", "allowed")
OTHERS = {  # part -> the values that it can have
    "severity": ("warn", "quarantine"),
    "relation": RELATIONS,
    "shared": SHARED,
    "match": ("whole", "as_of", "any_row"),
    "on_unresolved": ("withhold", "block"),
    "mark": MARKS,
}


def declaration_mutants(rule: Rule) -> Iterator[Mutant]:
    family, name = rule.id.split("-", 1)
    make = ENGINES[family][0]
    seen = {_said(rule)}
    for change, table in _changed_tables(family, all_tables()[name]):
        with patch.dict(all_tables(), {table.name: table}):
            try:
                made = without_first_look(make(all_tables()[name]) or emptied(rule))
            except (LookupError, StopIteration, RuntimeError, ValueError, AttributeError):
                continue
        if _said(made) in seen:
            continue
        seen.add(_said(made))
        yield Mutant("declaration", change, made)


def _said(rule: Rule) -> tuple[str, ...]:
    """What tells a rule from another; the numbers of its joins do not."""
    numbered = r"\b((?:target|in_force|kind|referring|holders|periods|repeated)_)\d+"
    return (re.sub(numbered, r"\1", rule.tested_sql), rule.violations_sql, rule.severity)


def _changed_tables(family: str, table: Table) -> Iterator[tuple[str, Table]]:
    """The table with one change of what the family reads of it, or another one that names all of its rows."""
    _, of_table, of_column = ENGINES[family]
    for part in of_table:
        for change, value in _changes(part, getattr(table, part)):
            yield f"{part}: {change}", replace(table, **{part: value})
    for place, column in enumerate(table.columns):
        for part in of_column:
            for change, value in _changes(part, getattr(column, part), column):
                columns = (*table.columns[:place], replace(column, **{part: value}), *table.columns[place + 1 :])
                yield f"{column.name} {part}: {change}", replace(table, columns=columns)
    if family == "REF":
        for other in all_tables().values():
            for place, reference in enumerate(other.references):
                if reference.is_total and reference.target_table == table.name and other is not table:
                    for part in ("is_total", "total_where"):
                        for change, value in _changes(part, getattr(reference, part)):
                            changed = replace(reference, **{part: value})
                            listed = (*other.references[:place], changed, *other.references[place + 1 :])
                            yield f"{other.name}: {part}: {change}", replace(other, references=listed)


def _changes(part: str, value, column: Column | None = None) -> Iterator[tuple[str, object]]:
    """A value changed by a step, in words that begin with what kind of part it is."""
    if value is None or part in TEXT_OF_READERS:
        return
    if is_dataclass(value):
        if part in ("identity", "sharing", "record_identity"):
            yield "dropped: all of it", None
        for of in fields(value):
            for change, changed in _changes(of.name, getattr(value, of.name)):
                yield f"{of.name}: {change}", replace(value, **{of.name: changed})
        if isinstance(value, Order | RecordIdentity):  # of others it does not matter which column stands before another
            pairs = range(len(value.columns) - 1 if isinstance(value, Order) else 1)
            for at in pairs:
                before, first, second, after = value.columns[:at], *value.columns[at : at + 2], value.columns[at + 2 :]
                yield f"turned: {first}, {second}", replace(value, columns=(*before, second, first, *after))
    elif part == "meaning":
        yield from ((f"meaning: {other}", other) for other in _meanings_beside(value))
    elif part == "plausible":
        for end, bound in enumerate(value):
            for other in _bounds_beside(column, bound):
                yield f"bound: {bound} -> {other}", tuple(other if n == end else b for n, b in enumerate(value))
    elif part in OTHERS:
        yield from ((f"{part}: {value} -> {other}", other) for other in OTHERS[part] if other != value)
    elif part == "be" and isinstance(value, str):
        other = EMPTY if value == FILLED else FILLED
        yield f"be: {value} -> {other}", other
    elif part in ("left", "right"):
        yield from ((f"side: {value} -> {other}", other) for other in _sides_beside(value))
    elif isinstance(value, bool):
        yield f"{part}: {value} -> {not value}", not value
    elif isinstance(value, Decimal):
        for other in (value * 2, value / 2) if value else (Decimal(1),):
            yield f"{part}: {value} -> {other}", other
    elif isinstance(value, int) and (value or part == "tolerance_minutes"):
        for other in (value - 1, value + 1) if value else (1,):
            yield f"{part}: {value} -> {other}", other
    elif isinstance(value, str):
        yield f"{part}: {value} -> none", None
    elif isinstance(value, tuple):
        for place, entry in enumerate(value):
            yield f"dropped: {part} {_short(entry)}", value[:place] + value[place + 1 :]
            if is_dataclass(entry):
                for change, changed in _changes("entry", entry):
                    yield f"{change} in {_short(entry)}", (*value[:place], changed, *value[place + 1 :])
            elif isinstance(entry, tuple) and isinstance(entry[1], tuple) and len(entry[1]) > 1:
                for dropped in entry[1]:
                    kept = (entry[0], tuple(v for v in entry[1] if v != dropped))
                    yield f"narrowed: {part} {entry[0]} {dropped}", (*value[:place], kept, *value[place + 1 :])
            elif isinstance(entry, tuple) and is_dataclass(entry[1]):
                for change, changed in _changes("entry", entry[1]):
                    yield f"{change} in {entry[0]}", (*value[:place], (entry[0], changed), *value[place + 1 :])


def _short(entry) -> str:
    if not is_dataclass(entry):
        return str(entry)
    named = getattr(entry, "name", None) or getattr(entry, "what", None) or getattr(entry, "columns", None)
    return str(named or getattr(entry, "column", None) or getattr(entry, "by", None))


def _meanings_beside(name: str) -> list[str]:
    """The next meanings of its kind that are judged otherwise."""
    meaning = MEANINGS[name]
    others = [m for m in MEANINGS.values() if m.kind == meaning.kind and m is not meaning]
    if meaning.kind == NUMBER:
        return []  # judged by the range alone
    if meaning.kind in (DAY, TIME):
        return [m.name for m in others if m.name.startswith("fact") != name.startswith("fact")][:1]
    judged = (meaning.placeholders, meaning.formats)
    return [m.name for m in others if (m.placeholders, m.formats) != judged][:: max(1, len(others) // 6)]


def _bounds_beside(column: Column, bound: str | None) -> list[str]:
    if bound is None:
        return []
    if MEANINGS[column.meaning].kind == NUMBER:
        step = Decimal(1) if "int" in column.physical_type else Decimal("0.0001")
        return [f"{Decimal(bound) - step:f}", f"{Decimal(bound) + step:f}"]
    counted = re.fullmatch(r"(business_date [+-] )(\d+)( \w+)", bound)
    if counted:
        return [f"{counted[1]}{int(counted[2]) + step}{counted[3]}" for step in (-1, 1)]
    if bound == "business_date":
        return ["business_date - 1 days", "business_date + 1 days"]
    return [str(date.fromisoformat(bound) + timedelta(days=step)) for step in (-1, 1)]


def _sides_beside(side: str) -> Iterator[str]:
    """A sign turned, a number doubled, a lacking number no longer counted as zero."""
    for found in re.finditer(r" [+-] ", side):
        yield f"{side[: found.start()]}{' - ' if '+' in found[0] else ' + '}{side[found.end() :]}"
    for found in re.finditer(r"(?<![\w.])[1-9]\d*(\.\d+)?(?![\w.])", side):
        yield f"{side[: found.start()]}{2 * Decimal(found[0])}{side[found.end() :]}"
    for found in re.finditer(r"coalesce\((\w+), 0\)", side):
        yield f"{side[: found.start()]}{found[1]}{side[found.end() :]}"
