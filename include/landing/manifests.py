"""The manifest of a table, `_manifest.json`. What it says wrongly is refused with the line, the key and what is allowed.

docs/reference/interval-files.md says what the keys of interval files mean.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from zoneinfo import available_timezones

import yaml

from include.contracts import Table
from include.landing.delivery import FileProblem
from include.landing.opening import name_problem, opened_file

MANIFEST = "_manifest.json"
_LARGEST_MIB = 4  # some 20,000 files
SLOT_MINUTES = 15  # of the warehouse's curves
_DELIVERED_MINUTES = (5, 10, 15, 30, 60)
_DIRECTIVES = "%Y %y %m %b %B %d %j %H %I %p %M %S %f %z"

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Key:
    """`allowed` says in words what `accepts` lets through: a value, an object of `keys`, or items that are `each` alike."""

    allowed: str
    accepts: Callable[[object], bool]
    is_required: bool = False
    keys: dict[str, Key] | None = None
    each: Key | None = None


class _Wrong(Exception):
    """The key at `path` and what is wrong with it; its line is looked up only then."""

    def __init__(self, path: KeyPath, problem: str) -> None:
        self.path = path
        super().__init__(f"{_name(path)} {problem}")


class _Twice(ValueError):
    """A key that an object has twice: JSON's own reader would keep the last and forget the other."""


def read_manifest(folder: int, table: Table) -> dict:
    """The manifest with its dates as dates and `intervals` as a list of layouts; empty where there is none.

    Raises FileProblem with the line, the key and what is allowed.
    """
    try:
        os.stat(MANIFEST, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return {}
    with opened_file(folder, MANIFEST, _LARGEST_MIB, "the manifest") as file:
        content = file.read()
    text = ""
    try:
        text = content.decode("utf-8-sig")
        manifest = json.loads(text, object_pairs_hook=_once)
        layouts = manifest.get("intervals") if isinstance(manifest, dict) else None
        layouts = layouts if isinstance(layouts, list) else [layouts] if layouts is not None else []
        _check(
            manifest,
            _manifest_key(table, has_list=isinstance(manifest, dict) and manifest.get("intervals") is layouts),
            (),
        )
        _check_names(manifest.get("files", []))
        for at, layout in enumerate(layouts):
            where = ("intervals", at) if manifest["intervals"] is layouts else ("intervals",)
            _check_layout(layout, where, is_alone=len(layouts) == 1)
    except _Wrong as wrong:
        raise FileProblem(f"the manifest is wrong in line {_line_of(text, wrong.path)}: {wrong}") from None
    except _Twice:
        name, line = _first_repeated(text)
        raise FileProblem(
            f"the manifest is wrong in line {line}: {name} is there twice; allowed is each key once"
        ) from None
    except UnicodeDecodeError:
        raise FileProblem("the manifest cannot be read (it is not UTF-8); save it as UTF-8") from None
    except RecursionError:
        raise FileProblem("the manifest cannot be read (its values are nested too deeply)") from None
    except ValueError as error:
        raise FileProblem(f"the manifest cannot be read ({error})") from None
    for entry in manifest.get("files", []):
        for name in ("business_date", "complete_from", "complete_to"):
            entry[name] = date.fromisoformat(entry[name]) if entry.get(name) else None
        if sha256 := entry.pop("sha256", None):
            entry["sha256"] = sha256.lower()
    return manifest | {"intervals": layouts}


def layout_of(manifest: dict, file_name: str) -> dict | None:
    """How the slots of a file are read; None for a file of whole rows. Raises FileProblem where two layouts name it."""
    found = [each for each in manifest.get("intervals", []) if fnmatch.fnmatchcase(file_name, each.get("files", "*"))]
    if len(found) > 1:
        patterns = " and ".join(each["files"] for each in found)
        raise FileProblem(f"the layouts of {patterns} in the manifest both name it; allowed is one")
    return found[0] if found else None


def _check(value: object, key: Key, path: KeyPath) -> None:
    """Raises _Wrong for the first thing that is not allowed, from the outside in."""
    if not key.accepts(value):
        raise _Wrong(path, f"is {_shown(value)}; allowed is {key.allowed}")
    if key.each:
        for at, item in value.items() if isinstance(value, dict) else enumerate(value):
            _check(item, key.each, (*path, at))
    if key.keys:
        for name in value:
            if name not in key.keys:
                raise _Wrong((*path, name), f"is unknown; {_known(name, key.keys)}")
        for name, inner in key.keys.items():
            if name in value:
                _check(value[name], inner, (*path, name))
            elif inner.is_required:
                raise _Wrong((*path, name), f"is missing; allowed is {inner.allowed}")


def _check_names(files: list[dict]) -> None:
    names = set()
    for at, entry in enumerate(files):
        if entry["name"] in names:
            raise _Wrong(("files", at, "name"), f"is {_shown(entry['name'])} twice; allowed is one entry for each file")
        names.add(entry["name"])


def _check_layout(layout: dict, path: KeyPath, *, is_alone: bool) -> None:
    """What no single key can say."""
    if not is_alone and "files" not in layout:
        raise _Wrong((*path, "files"), "is missing; where there are several layouts each says which files are its own")
    number, column = "metering_point_no" in layout, "metering_point_column" in layout
    if number and column:
        raise _Wrong((*path, "metering_point_column"), "is there beside metering_point_no; allowed is one of them")
    if not number and not column:
        raise _Wrong((*path, "metering_point_no"), "is missing; allowed is it or metering_point_column")
    stamp, minutes = layout["stamp"], layout.get("slot_minutes", SLOT_MINUTES)
    if stamp.get("midnight") == "same_day" and stamp.get("labels") != "end":
        raise _Wrong((*path, "stamp", "midnight"), 'is "same_day"; allowed is that with labels "end" only')
    if "zone" in stamp and "%z" in stamp["format"]:
        raise _Wrong((*path, "stamp", "zone"), "is there beside %z in format; allowed is one of them")
    first: dict[tuple[str, str], str] = {}
    for name, quantity in layout["quantities"].items():
        where, channel = (*path, "quantities", name, "data_type"), (quantity["data_type"], quantity.get("phase", "T"))
        if channel in first:
            problem = f"is {_shown(channel[0])} of phase {channel[1]}, as that of {first[channel]} is"
            raise _Wrong(where, f"{problem}; allowed is each channel once")
        first[channel] = name
        if channel[0] == "PF" and minutes < SLOT_MINUTES:
            problem = f'is "PF" with slot_minutes {minutes}; allowed is that with 15, 30 and 60'
            raise _Wrong(where, f"{problem}: power factors can be neither summed nor averaged")


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63)


def _is_file_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "/" not in value and name_problem(value) is None


def _is_sums(value: object) -> bool:
    if value is None:
        return True
    try:
        return isinstance(value, dict) and all(
            not isinstance(each, bool) and Decimal(str(each)).is_finite() for each in value.values()
        )
    except InvalidOperation:
        return False


def _is_date(value: object) -> bool:
    try:
        return value is None or (bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)) and bool(date.fromisoformat(value)))
    except (TypeError, ValueError):
        return False


def _is_scale(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value != 0


def _is_zone(value: object) -> bool:
    return isinstance(value, str) and (
        bool(re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", value)) or value in available_timezones()
    )


def _is_format(value: object) -> bool:
    """Of known directives, a day and a time; an offset only at its end."""
    if not isinstance(value, str):
        return False
    used = re.findall(r"%.?", value)
    has_day = {"%Y", "%y"} & {*used} and ("%j" in used or ("%d" in used and {"%m", "%b", "%B"} & {*used}))
    has_time = "%H" in used or {"%I", "%p"} <= {*used}
    is_known = {*used} <= {*_DIRECTIVES.split()} and len(used) == len({*used})
    return bool(is_known and has_day and has_time) and "%z" not in value.rstrip()[:-2]


def _is_sha256(value: object) -> bool:
    return value in (None, "") or (isinstance(value, str) and bool(re.fullmatch("[0-9a-fA-F]{64}", value)))


def _is_time(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value))


def _one_of(*values: object, is_required: bool = False) -> Key:
    return Key(
        f"one of {', '.join(json.dumps(value) for value in values)}",
        lambda value: any(type(value) is type(each) and value == each for each in values),
        is_required,
    )


def _text(what: str, *, is_required: bool = False) -> Key:
    return Key(what, lambda value: isinstance(value, str) and bool(value.strip()), is_required)


def _object(what: str, keys: dict[str, Key], *, is_required: bool = False) -> Key:
    return Key(what, lambda value: isinstance(value, dict), is_required, keys=keys)


def _manifest_key(table: Table, *, has_list: bool) -> Key:
    count, day = Key("a whole number from 0", _is_count), Key("a date YYYY-MM-DD", _is_date)
    file = {
        "name": Key("the name of a file, without its folder", _is_file_name, is_required=True),
        "rows": count,
        "sha256": Key("64 hexadecimal digits", _is_sha256),
        "sums": Key("an object of column and sum, a number", _is_sums),
        "business_date": day,
        "complete_from": day,
        "complete_to": day,
        "withdrawn_rows": count,
    }
    each_file = _object("an object with the name of a file", file)
    keys = {
        "files": Key("a list of files", lambda value: isinstance(value, list), each=each_file),
        "synthetic": _one_of(True, False),
    }
    if table.curve_slots:
        layout = _layout_key(table)
        keys["intervals"] = Key("a list of layouts", bool, each=layout) if has_list else layout
    return _object("an object with files", keys)


def _layout_key(table: Table) -> Key:
    stamp = {
        "column": _text("the name of the file's column of stamps", is_required=True),
        "format": Key(f"a day and a time of {_DIRECTIVES}, each once, %z last", _is_format, is_required=True),
        "labels": _one_of("start", "end"),
        "midnight": _one_of("next_day", "same_day"),
        "zone": Key("an offset like +08:00 or the name of a zone like UTC or Asia/Shanghai", _is_zone),
    }
    quantity = {
        "data_type": _one_of(*table.column("data_type").allowed, is_required=True),
        "phase": _one_of(*table.column("phase").allowed),
        "scale": Key("a number other than 0", _is_scale),
    }
    keys = {
        "files": _text("a pattern of file names like feeder_*.csv"),
        "metering_point_no": _text("a metering point number"),
        "metering_point_column": _text("the name of the file's column of metering point numbers"),
        "is_primary": _one_of(True, False),
        "slot_minutes": _one_of(*_DELIVERED_MINUTES),
        "stamp": _object("an object with column and format", stamp, is_required=True),
        "quantities": Key(
            "an object with at least one column",
            lambda value: isinstance(value, dict) and bool(value),
            is_required=True,
            each=_object("an object with a data_type", quantity),
        ),
        "received_at": Key("a time hh:mm", _is_time),
    }
    return _object("a layout", keys)


def _known(name: str, keys: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, keys, n=1, cutoff=0.6)
    return f"allowed are {', '.join(keys)}" + (f"; did you mean {near[0]}?" if near else "")


def _name(path: KeyPath) -> str:
    """`intervals[1].stamp.labels`; of the whole manifest, its file."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or MANIFEST


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _once(pairs: list[tuple[str, object]]) -> dict:
    if len(dict(pairs)) < len(pairs):
        raise _Twice
    return dict(pairs)


def _places(text: str) -> list[tuple[KeyPath, int]]:
    """Every key and item of a JSON text with its line, in their order. JSON is YAML but for tabs between its parts."""

    def walk(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield (*path, key.value), key.start_mark.line + 1
                yield from walk(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                yield (*path, at), value.start_mark.line + 1
                yield from walk(value, (*path, at))

    try:
        return list(walk(yaml.compose(text.replace("\t", " "), yaml.CSafeLoader), ()))
    except (yaml.YAMLError, RecursionError):  # JSON says some characters in pairs of escapes, which YAML does not know
        return []


def _first_repeated(text: str) -> tuple[str, int]:
    """The first key that is there again, and the line of that."""
    seen = set()
    for path, line in _places(text):
        if path in seen:
            return _name(path), line
        seen.add(path)
    return MANIFEST, 1


def _line_of(text: str, path: KeyPath) -> int:
    """The line of the innermost key on the way to `path` that is there."""
    lines = dict(_places(text))
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)
