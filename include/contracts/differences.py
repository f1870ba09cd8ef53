"""What differs between two versions of a contract, and whether a delivery that was right may be wrong by the new one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from include.contracts import Column, Table, read_tables
from include.errors import UsageError

# declarations of a table by which rows are judged: name of the attribute -> for people
_JUDGED = {
    "references": "reference",
    "references_by_kind": "reference",
    "order": "order of times",
    "equations": "equation",
    "conditions": "condition",
    "periods": "period",
    "expected": "expectation",
    "repeats": "limit of repeats",
    "crowds": "limit of crowds",
}
_COLUMN_JUDGED = {
    "meaning": "meaning",
    "identity": "identity",
    "sharing": "limit of sharing",
    "judged_by": "judging rule",
}
_TOLD = {"name_en": "English name", "name_zh": "Chinese name", "description": "description"}
_SIZED = re.compile(r"(\w+)\((\d+)(?:,(\d+))?\)")
_WHOLE = ("smallint", "integer", "bigint")


@dataclass(frozen=True)
class Difference:
    """`where` is a table or `table.column`; breaking where a delivery that was right before may be wrong or unread now."""

    where: str
    what: str
    is_breaking: bool


def read_contract(path: Path) -> tuple[str, dict[str, Table]]:
    """Version and tables of a contract file. Raises UsageError where it is none."""
    try:
        text = path.read_text(encoding="utf-8")
        return read_tables(yaml.load(text, yaml.CSafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}.", where=str(path), next_step="give a contract file."
        ) from None
    except Exception as error:  # of pydantic and YAML, and a custom property that is absent
        what = " ".join(str(error).split())[:200]
        raise UsageError(
            f"{path} is no contract: {what}.",
            where=str(path),
            next_step="give an ODCS file with the custom properties of docs/reference/contracts.md.",
        ) from None


def differences(old: dict[str, Table], new: dict[str, Table]) -> list[Difference]:
    """In the order of the new contract; what is gone comes first."""
    found = [Difference(name, "is not in the contract any more", True) for name in old if name not in new]
    for name, table in new.items():
        if name not in old:
            found.append(Difference(name, "is new: it must be delivered", True))
        else:
            found += _of_table(old[name], table)
    return found


def _of_table(old: Table, new: Table) -> list[Difference]:
    name, found = new.name, []
    if old.key != new.key:
        found.append(Difference(name, f"key {', '.join(old.key)} -> {', '.join(new.key)}", True))
    for attribute, told in (("update_pattern", "delivered as"), ("cursor_column", "time of change")):
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            found.append(Difference(name, f"{told} {before} -> {after}", True))
    if old.is_daily != new.is_daily:
        found.append(Difference(name, "is delivered daily" if new.is_daily else "is not delivered daily", new.is_daily))
    found += _told(name, old, new)
    for attribute, told in _JUDGED.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        found += [Difference(name, f"{told} is new: {_short(e)}", True) for e in after if e not in before]
        found += [Difference(name, f"{told} is gone: {_short(e)}", False) for e in before if e not in after]
    before, after = ({c.name: c for c in table.columns} for table in (old, new))
    found += [Difference(f"{name}.{c}", "is not read any more", True) for c in before if c not in after]
    for column in after.values():
        if column.name not in before:
            found.append(Difference(f"{name}.{column.name}", "is new: its heading must be delivered", True))
        else:
            found += _of_column(name, before[column.name], column)
    return found


def _of_column(table: str, old: Column, new: Column) -> list[Difference]:
    where, found = f"{table}.{new.name}", []
    if old.physical_type != new.physical_type:
        is_breaking = not _is_wider(old.physical_type, new.physical_type)
        found.append(Difference(where, f"type {old.physical_type} -> {new.physical_type}", is_breaking))
    if old.is_required != new.is_required:
        found.append(Difference(where, "is required" if new.is_required else "may be empty", new.is_required))
    if old.allowed != new.allowed:
        gone = set(old.allowed or ()) - set(new.allowed or ()) if new.allowed is not None else set()
        come = set(new.allowed or ()) - set(old.allowed or ()) if old.allowed is not None else set()
        if old.allowed is None:
            found.append(Difference(where, f"only these are allowed: {', '.join(new.allowed or ())}", True))
        elif new.allowed is None:
            found.append(Difference(where, "any value is allowed", False))
        else:
            found += [Difference(where, f"not allowed any more: {', '.join(sorted(gone))}", True)] if gone else []
            found += [Difference(where, f"also allowed: {', '.join(sorted(come))}", False)] if come else []
    if old.plausible != new.plausible:
        told = f"plausible {_range(old.plausible)} -> {_range(new.plausible)}"
        found.append(Difference(where, told, not _contains(new.plausible, old.plausible)))
    for attribute, told in _COLUMN_JUDGED.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            found.append(Difference(where, f"{told} {_short(before)} -> {_short(after)}", bool(after)))
    if old.classification != new.classification:
        told = f"classification {old.classification or 'none'} -> {new.classification or 'none'}"
        found.append(Difference(where, told, False))
    return found + _told(where, old, new)


def _told(where: str, old, new) -> list[Difference]:
    return [
        Difference(where, f"{told}: {getattr(old, name)} -> {getattr(new, name)}", False)
        for name, told in _TOLD.items()
        if getattr(old, name) != getattr(new, name)
    ]


def _is_wider(old: str, new: str) -> bool:
    """Whether every value of the old type is one of the new."""
    if old in _WHOLE and new in _WHOLE:
        return _WHOLE.index(new) > _WHOLE.index(old)
    if new == "text":
        return old.startswith(("char", "varchar"))
    before, after = _SIZED.fullmatch(old), _SIZED.fullmatch(new)
    if not before or not after:
        return False
    size, scale = (int(before[2]), int(before[3] or 0)), (int(after[2]), int(after[3] or 0))
    if before[1] == after[1] == "numeric":
        return scale[1] >= size[1] and scale[0] - scale[1] >= size[0] - size[1]
    return after[1] == "varchar" and before[1] in ("char", "varchar") and scale[0] >= size[0]


def _contains(outer: tuple, inner: tuple) -> bool:
    """Whether all that lies in one range lies in the other; what is counted from a day cannot be told, and counts as no."""
    try:
        least = outer[0] is None or (inner[0] is not None and float(outer[0]) <= float(inner[0]))
        most = outer[1] is None or (inner[1] is not None and float(inner[1]) <= float(outer[1]))
    except ValueError:
        least, most = outer[0] in (None, inner[0]), outer[1] in (None, inner[1])
    return least and most


def _range(plausible: tuple) -> str:
    return f"{plausible[0] if plausible[0] is not None else 'any'} to {plausible[1] if plausible[1] is not None else 'any'}"


def _short(value: object) -> str:
    return " ".join(str(value or "none").split())[:160]
