"""Which columns of a file are which of a table, by name, by the look of their values, and by numbers that other files have too."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from include import seeds
from include.contracts import Column, Table
from include.landing.formats import Format
from include.landing.values import FALSE, TRUE, number
from include.onboarding.dates import DAYS, EXCEL_SERIAL, MONTHS, STAMPS, candidates, day_forms
from include.onboarding.names import POSSIBLE, SURE, likeness
from include.onboarding.notes import Notes
from include.onboarding.sniff import Sniffed

LABELS = "code_labels"
CLOSE = 0.06  # two names that are so near to each other leave it open
NUMBERED = ("account_no", "settlement_account_no", "metering_point_no", "meter_asset_no", "organisation_no")
_FLOAT = re.compile(r"\d+\.0+")
_CUT = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")


@dataclass
class Mapped:
    """Contract column -> what the mapping says of it; `score` says how much of the table the file fills."""

    columns: dict[str, dict] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    score: float = 0.0
    unused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def map_columns(sniffed: Sniffed, table: Table, today: str) -> Mapped:
    """The best mapping of a file to one table."""
    mapped = Mapped()
    values = {name: [v for v in sniffed.grid.column(name) if v] for name in dict.fromkeys(sniffed.grid.names) if name}
    pairs = []
    for column in table.columns:
        for header, own in values.items():
            score, why = max(likeness(name, column) for name in {header, sniffed.leaves.get(header, header)})
            if score >= POSSIBLE:
                pairs.append((score + 0.02 * _fits(own, column, sniffed.form), score, column, header, why))
    pairs.sort(key=lambda pair: (-pair[0], pair[2].name))
    taken: set[str] = set()
    for total, score, column, header, why in pairs:
        if column.name in mapped.columns or header in taken:
            continue
        if not _fits(values[header], column, sniffed.form):
            continue
        rivals = [
            (other, name) for t, _, other, name, _ in pairs
            if t >= total - CLOSE and (other.name == column.name) != (name == header)
            and name not in taken and other.name not in mapped.columns and score < 0.97
        ]  # fmt: skip
        taken.add(header)
        mapped.columns[column.name] = {"from": header, "why": why}
        setting = f"columns.{column.name}"
        if rivals:
            other, name = rivals[0]
            mapped.notes.doubt(setting, header, f"{name!r} for {other.name} is as likely by name")
        elif score < SURE:
            mapped.notes.doubt(setting, header, f"{why}, which is not sure")
        mapped.score += score * (3 if column.name in table.key else 1)
    for name, spec in mapped.columns.items():
        _read_values(table.column(name), spec, values[spec["from"]], values, sniffed, mapped.notes)
    mapped.unused = [name for name in values if name not in taken]
    _fill_missing(table, mapped, today)
    return mapped


def _fill_missing(table: Table, mapped: Mapped, today: str) -> None:
    for column in table.columns:
        if column.name in mapped.columns:
            continue
        mapped.missing.append(column.name)
        needed = column.is_required or column.name in table.key
        if not needed:
            continue
        if column.name == table.cursor_column:
            chosen = f"{today} 00:00:00+08:00"
            mapped.columns[column.name] = {"value": chosen, "why": "the export has no time of change"}
            why = "the export has no time of change: every row carries the day on which this was proposed"
        else:
            chosen, why = None, f"no column of the file is it ({column.name_en}), and the contract requires it"
        mapped.notes.doubt(f"columns.{column.name}", chosen, why)
        mapped.score -= 1 if column.name in table.key else 0.25


def _fits(values: list[str], column: Column, form: Format) -> bool:
    """Whether most values could be of the column at all."""
    looked = list(dict.fromkeys(values))[:60]
    if not looked:
        return True
    kind = column.physical_type
    if kind == "char(6)":
        good = [bool(candidates([v], MONTHS)) for v in looked]
    elif kind in ("date", "timestamptz"):
        good = [bool(candidates([v], DAYS + STAMPS) or day_forms([v])) for v in looked[:12]]
    elif kind == "boolean":
        good = [v.lower() in TRUE + FALSE for v in looked]
    elif kind == "text" or "char" in kind:
        return column.meaning not in NUMBERED or sum(any(c.isdigit() for c in v) for v in looked) >= 0.8 * len(looked)
    else:
        good = [number(v, form) is not None for v in looked]
    return sum(good) >= 0.8 * len(good)


def _read_values(
    column: Column, spec: dict, values: list[str], all_values: dict, sniffed: Sniffed, notes: Notes
) -> None:
    setting = f"columns.{column.name}"
    if not values:
        return
    if column.physical_type == "char(6)":
        _choose_form(column, spec, candidates(values, MONTHS), values, all_values, notes)
        if spec.get("format") == "%Y%m":
            del spec["format"]
    elif column.physical_type == "date":
        _choose_form(column, spec, day_forms(values), values, all_values, notes)
    elif column.physical_type == "timestamptz":
        found = candidates(values, STAMPS) or day_forms(values)
        _choose_form(column, spec, found, values, all_values, notes)
        if "format" in spec and "%z" not in spec["format"]:
            spec["zone"] = "+08:00"
            notes.doubt(setting, spec["from"], "its times have no zone; +08:00 is the contract's")
    elif column.allowed:
        _codes(column, spec, values, notes)
    elif column.physical_type == "text" or "char" in column.physical_type:
        _identifiers(column, spec, values, notes)


def _choose_form(
    column: Column, spec: dict, found: list[str], values: list[str], all_values: dict, notes: Notes
) -> None:
    setting = f"columns.{column.name}"
    if not found:
        notes.doubt(setting, spec["from"], f"its values (like {values[0]}) are written in no way that is known of days")
        return
    spec["format"] = found[0]
    if found == [EXCEL_SERIAL]:
        notes.doubt(setting, EXCEL_SERIAL, f"{values[0]} may be a spreadsheet's number of days since 1899-12-30")
        return
    if len(found) > 1:
        sure = _form_of_the_file(found, all_values, spec["from"])
        if sure:
            spec["format"] = sure[0]
            spec["why"] += f"; days are written as in {sure[1]!r}, which can be read in one way only"
            return
        notes.doubt(setting, found[0], f"{values[0]} reads as {' and as '.join(found)}; nothing in the file says which")


def _form_of_the_file(found: list[str], all_values: dict, own: str) -> tuple[str, str] | None:
    """The one of several forms in which alone another column of the file reads."""
    for header, values in all_values.items():
        if header == own or not values:
            continue
        others = day_forms(values)
        if len(others) == 1 and others[0] in found:
            return others[0], header
    return None


@cache
def _labels() -> dict[str, dict[str, str]]:
    """Column of the project -> label in lower case -> code."""
    found: dict[str, dict[str, str]] = {}
    for row in seeds.rows(LABELS):
        for name in (row["name_en"], row["name_zh"]):
            found.setdefault(row["code"], {})[name.lower()] = row["code"]
    return found


def _codes(column: Column, spec: dict, values: list[str], notes: Notes) -> None:
    distinct = sorted(set(values))
    other = [value for value in distinct if value not in column.allowed]
    if not other:
        return
    codes, unknown = {value: value for value in distinct if value in column.allowed}, []
    for value in other:
        labelled = [
            code for code in column.allowed if value.lower() == code.lower() or value.lower() in _labels().get(code, {})
        ]
        if len(labelled) == 1:
            codes[value] = labelled[0]
        else:
            unknown.append(value)
    spec["codes"] = codes | dict.fromkeys(unknown[:20], "")
    if unknown:
        why = f"{', '.join(unknown[:5])} is none of {', '.join(column.allowed)}; say in codes which is which"
        notes.doubt(f"columns.{column.name}", None, why)
    else:
        spec["why"] += "; its codes are the contract's by their names"


def _identifiers(column: Column, spec: dict, values: list[str], notes: Notes) -> None:
    setting = f"columns.{column.name}"
    if cut := next((value for value in values if _CUT.fullmatch(value)), None):
        notes.doubt(
            setting,
            spec["from"],
            f"{cut} is a number that a spreadsheet has cut; its digits are gone: export it as text",
        )
        return
    if column.meaning not in NUMBERED and not column.meaning.endswith("_no"):
        return
    floats = [value for value in values if _FLOAT.fullmatch(value)]
    if floats:
        spec["whole"] = True
        notes.doubt(setting, spec["from"], f"{floats[0]} was a number for a while: zeros in front of it would be lost")
    lengths = Counter(len(value.split(".")[0]) for value in values)
    if not floats and column.meaning in NUMBERED and all(value.isdigit() for value in values) and len(lengths) > 1:
        common = max(lengths)
        notes.doubt(
            setting,
            spec["from"],
            f"its numbers have {min(lengths)} to {common} digits: zeros in front may be lost (pad: {common})",
        )
    if len(lengths) == 1 and all(value.isdigit() for value in values):
        spec["pattern"] = rf"\d{{{next(iter(lengths))}}}"
