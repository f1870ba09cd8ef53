"""Interval files of any shape as rows of one slot each: a date and a time in two columns, a number of the slot, a column a slot,
a column that says what is measured. `intervals.day_curves` makes days of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import pyarrow as pa

from include.landing.delivery import LINE, FileProblem
from include.landing.formats import Format, Grid
from include.landing.values import converted, moment, number

STAMP, SLOT_STAMP = "_stamp", "%Y-%m-%d %H:%M"
KEYS = (
    "metering_point_no",
    "metering_point_column",
    "is_primary",
    "slot_minutes",
    "stamp",
    "quantities",
    "received_at",
    "wide",
    "channel",
    "point",
)


def long_rows(grid: Grid, layout: Mapping, form: Format) -> tuple[pa.Table, dict]:
    """Rows of text with `_file_line`, and the layout that `day_curves` reads them by.

    Of the layout, `wide` (`slots`: the columns in order of the day) is a file of a row a day, `channel` (`column`, `value`,
    `codes`) one in which a column says what the value is, `stamp.slot` a column that counts the slots of the day of
    `stamp.column`. Raises FileProblem.
    """
    if unknown := [key for key in layout if key not in KEYS]:
        raise FileProblem(f"intervals has the unknown key {', '.join(unknown)}; known are {', '.join(KEYS)}")
    if not layout.get("metering_point_column") and not layout.get("metering_point_no"):
        raise FileProblem("its mapping names no metering point: intervals.metering_point_no is empty")
    stamp, plain = dict(layout["stamp"]), {key: value for key, value in layout.items() if key in KEYS[:7]}
    _need(grid, [*_listed(stamp["column"]), *_listed(stamp.get("slot"))])
    point_column = layout.get("metering_point_column")
    if point_column:
        _need(grid, [point_column])
    points = converted(grid.column(point_column), "text", layout.get("point", {}), form) if point_column else None
    minutes = layout.get("slot_minutes", 15)
    if "wide" in layout:
        rows, stamp = _from_wide(grid, layout["wide"], stamp, minutes, points)
    else:
        rows, stamp = _from_stamps(grid, stamp, minutes, points)
    quantities = dict(layout.get("quantities") or {})
    if channel := layout.get("channel"):
        rows = _by_channel(grid, rows, channel, "wide" in layout)
        quantities = {
            code: {"data_type": code} | (quantities.get(code) or {})
            for code in dict.fromkeys(channel["codes"].values())
        }
    elif "wide" in layout:
        (name,) = quantities
        rows = [row | {name: row.pop("value")} for row in rows]
    else:
        _need(grid, list(quantities))
        for name in quantities:
            for row, value in zip(rows, grid.column(name), strict=True):
                row[name] = value
    columns = {LINE: pa.array([row["line"] for row in rows], pa.int64())}
    columns[STAMP] = pa.array([row["stamp"] for row in rows], pa.string())
    if point_column:
        columns[point_column] = pa.array([row["point"] for row in rows], pa.string())
    for name in quantities:
        columns[name] = pa.array([_number(row.get(name), form) for row in rows], pa.string())
    return pa.table(columns), plain | {"stamp": stamp | {"column": STAMP}, "quantities": quantities}


def _number(text: str | None, form: Format) -> str | None:
    return None if text is None else number(text, form) or text


def _from_stamps(grid: Grid, stamp: dict, minutes: int, points: list | None) -> tuple[list[dict], dict]:
    parts = [grid.column(name) for name in _listed(stamp["column"])]
    texts = [" ".join(filter(None, each)) or None for each in zip(*parts, strict=True)]
    if counted := stamp.pop("slot", None):
        texts = [_nth(day, nth, stamp["format"], minutes) for day, nth in zip(texts, grid.column(counted), strict=True)]
        stamp |= {"format": SLOT_STAMP, "labels": "start"}
    elif stamp.get("midnight") == "same_day":
        texts = [text and re.sub(r"\b24:00\b", "00:00", text) for text in texts]
    rows = [
        {"line": line, "stamp": text, "point": points[at] if points else None, "at": at}
        for at, (line, text) in enumerate(zip(grid.lines, texts, strict=True))
    ]
    return rows, stamp


def _nth(day: str | None, nth: str | None, form: str, minutes: int) -> str | None:
    """The start of the n-th slot of a day; what does not read stays, and is refused with its line."""
    found = moment(day or "", form)
    if found is None or not (nth or "").split(".")[0].isdigit():
        return f"{day} slot {nth}"
    return (found + timedelta(minutes=minutes * (int(float(nth)) - 1))).strftime(SLOT_STAMP)


def _from_wide(grid: Grid, wide: Mapping, stamp: dict, minutes: int, points: list | None) -> tuple[list[dict], dict]:
    slots = list(wide["slots"])
    _need(grid, slots)
    if len(slots) * minutes != 24 * 60:
        raise FileProblem(f"{len(slots)} columns of {minutes} minutes are no day")
    days = grid.column(stamp["column"])
    values = [grid.column(name) for name in slots]
    rows = [
        {
            "line": line,
            "stamp": _nth(days[at], str(nth), stamp["format"], minutes),
            "point": points[at] if points else None,
            "at": at,
            "value": of_slot[at],
        }
        for at, line in enumerate(grid.lines)
        for nth, of_slot in enumerate(values, start=1)
    ]
    return rows, {"format": SLOT_STAMP, "labels": "start"} | ({"zone": stamp["zone"]} if "zone" in stamp else {})


def _by_channel(grid: Grid, rows: list[dict], channel: Mapping, is_wide: bool) -> list[dict]:
    """One row a point and stamp, with a column for each code; rows of a channel without a code are left out."""
    _need(grid, [channel["column"], *([] if is_wide else [channel["value"]])])
    kinds, values = grid.column(channel["column"]), None if is_wide else grid.column(channel["value"])
    codes = {str(name): code for name, code in channel["codes"].items()}
    merged: dict[tuple, dict] = {}
    for row in rows:
        code = codes.get(kinds[row["at"]] or "")
        if code is None:
            continue
        of = merged.setdefault((row["point"], row["stamp"]), {k: row[k] for k in ("line", "stamp", "point")})
        if code in of:
            raise FileProblem(f"line {row['line']} repeats {code} of {row['stamp']}")
        of[code] = row["value"] if is_wide else values[row["at"]]
    return list(merged.values())


def _listed(names: str | list[str] | None) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def _need(grid: Grid, names: list[str]) -> None:
    if missing := [name for name in names if name not in grid.names]:
        raise FileProblem(
            f"column {', '.join(missing[:5])} of its mapping is missing; it has {', '.join(grid.names[:12])}"
        )
