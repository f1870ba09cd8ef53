"""Seeds: the tables of numbers and names of `dbt_project/seeds`, and over them those of the utility's profile.

`KAW_PROFILE/seeds/<seed>.csv` has the columns of the seed. What it says of a thing (the key without validity and the numbers of a
scale) replaces all that the project says of it, on all days; the rest stays. Whoever reads a seed, dbt too, reads it here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from include.choices import choices, did_you_mean
from include.contracts import all_tables
from include.errors import UsageError
from include.settings import ROOT, settings

FOLDER = Path("dbt_project") / "seeds"
OWN = "seeds"  # folder of a profile
FILLED = ("valid_from", "source_doc")  # in every row of a seed that declares them
OPEN_END = date.max.isoformat()
# columns of a key that name what the code asks for: another value of them would be read by nobody
ASKED_FOR = (
    *(
        "rule_id",
        "name",
        "parameter_code",
        "clock_code",
        "checkpoint_code",
        "item_code",
        "dimension_code",
        "component_code",
    ),
    *("severity_code", "veto_code", "factor_code", "what_code", "measure_code"),
)
_NUMERIC = re.compile(r"numeric\((\d+), ?(\d+)\)")
_INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


@dataclass(frozen=True)
class Seed:
    """`key` is what its grain test declares; `is_versioned` where rows of a key follow one another in time."""

    name: str
    yaml_file: Path
    types: dict[str, str]
    key: tuple[str, ...]

    @property
    def file(self) -> Path:
        return self.yaml_file.with_name(f"{self.name}.csv")

    @property
    def is_versioned(self) -> bool:
        return "valid_from" in self.key

    @property
    def identity(self) -> tuple[str, ...]:
        """The key without the first day of validity."""
        return tuple(column for column in self.key if column != "valid_from")

    @property
    def thing(self) -> tuple[str, ...]:
        """What a row is about: the identity without the numbers of a scale (points, slots, steps), which is whole or not at all."""
        return tuple(name for name in self.identity if not self.types[name].startswith((*_INTEGERS, "numeric")))


class Fault(NamedTuple):
    """What is wrong in a line of a seed's file, and what is allowed ('' where nothing can be listed)."""

    line: int
    what: str
    allowed: str = ""


def declared(root: Path = ROOT) -> dict[str, Seed]:
    """The seeds that the YAML files declare, by name."""
    found = {}
    for path in sorted((root / FOLDER).glob("*/_*__seeds.yml")):
        for entry in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["seeds"]:
            key: tuple[str, ...] = ()
            for test in entry.get("data_tests") or []:
                for name, given in test.items():
                    if name in ("unique_grain", "versions_follow_each_other"):
                        columns = tuple(given["arguments"]["columns"])
                        key = columns if name == "unique_grain" else (*columns, "valid_from")
            types = (entry.get("config") or {}).get("column_types") or {}
            found[entry["name"]] = Seed(entry["name"], path, types, key)
    return found


def text(name: str) -> str:
    """The CSV of a seed as it holds for the utility. Raises UsageError for a file of the profile that cannot be used."""
    file = own_files().get(name)
    return _project_text(name) if file is None else merged(file)


def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a seed, every value as text."""
    return parsed(text(name))


def own_files() -> dict[str, Path]:
    """Seed -> the file of the profile; an empty dict where there is none."""
    folder = settings().profile
    if folder is None or not (folder / OWN).is_dir():
        return {}
    return {path.stem: path for path in sorted((folder / OWN).iterdir()) if not path.name.startswith(".")}


def check_own() -> None:
    """Raises UsageError for the first file of the profile that cannot be used."""
    for file in own_files().values():
        merged(file)


def merged(file: Path) -> str:
    """The CSV of the seed that the file is named as, with the file's rows in place of those of their keys.

    Raises UsageError with file, line, what is wrong and what is allowed.
    """
    known = _declared()
    if file.suffix != ".csv" or file.stem not in known:
        raise _wrong(
            f"{file.name} has the name of no seed{did_you_mean(file.stem, known)}", file, choices(file.stem, known)
        )
    try:
        given = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(
            f"{file.name} cannot be read: {getattr(error, 'strerror', None) or error}", file, "a CSV in UTF-8"
        ) from None
    return _merged(file, given)


@lru_cache(maxsize=64)
def _merged(file: Path, given: str) -> str:
    seed = _declared()[file.stem]
    for fault in faults(io.StringIO(given, newline=""), seed):
        raise _wrong(fault.what, f"{file}:{fault.line}", fault.allowed)
    project, own = parsed(_project_text(seed.name)), parsed(given)
    for column in (name for name in seed.identity if name in (*ASKED_FOR, "table_name")):
        names = {row[column] for row in project}
        names |= set(all_tables()) if column == "table_name" else set()
        for number, row in enumerate(own, 2):
            if row[column] not in names:
                what = f"{seed.name} has no {column} {row[column]!r}{did_you_mean(row[column], names)}"
                raise _wrong(what, f"{file}:{number}", choices(row[column], sorted(names)))
    asked = [name for name in seed.identity if name in ASKED_FOR]
    together = {tuple(row[name] for name in asked) for row in project}
    for number, row in enumerate(own, 2):
        if (key := tuple(row[name] for name in asked)) not in together:
            near = [" ".join(k) for k in together if k[0] == key[0]]
            raise _wrong(
                f"{seed.name} has no {' '.join(key)}", f"{file}:{number}", choices(" ".join(key), sorted(near))
            )
    replaced = {tuple(row[name] for name in seed.thing) for row in own}
    kept = [row for row in project if tuple(row[name] for name in seed.thing) not in replaced]
    written = io.StringIO()
    writer = csv.DictWriter(written, list(seed.types), lineterminator="\n")
    writer.writeheader()
    writer.writerows([*kept, *own])
    return written.getvalue()


def _wrong(what: str, where: object, allowed: str) -> UsageError:
    tell = f"correct it; allowed: {allowed}." if allowed else "correct it."
    return UsageError(f"{what}.", where=str(where), next_step=f"{tell} docs/reference/profile.md says how.")


@cache
def _declared() -> dict[str, Seed]:
    return declared()


@cache
def _project_text(name: str) -> str:
    return next((ROOT / FOLDER).glob(f"*/{name}.csv")).read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def parsed(given: str) -> tuple[dict[str, str], ...]:
    """The rows of a seed's CSV, every value as text; nobody changes them."""
    return tuple(csv.DictReader(io.StringIO(given, newline="")))


def faults(lines: Iterable[str], seed: Seed) -> Iterator[Fault]:
    """What is wrong in the lines of a seed's file: columns, values against their types, keys, validity and sources."""
    reader = csv.reader(lines)
    header = next(reader, [])
    unknown = [c for c in header if c not in seed.types]
    missing = [c for c in seed.types if c not in header]
    for column in unknown:
        what = f"{seed.name} has the undeclared column {column}{did_you_mean(column, seed.types)}"
        yield Fault(1, what, choices(column, seed.types))
    for column in missing:
        yield Fault(1, f"{seed.name} lacks the declared column {column}")
    if unknown or missing:
        return
    spans: dict[tuple, list[tuple[str, str, int]]] = {}
    for values in reader:
        line = reader.line_num
        if len(values) != len(header):
            yield Fault(line, f"{len(values)} values in a row of {len(header)} columns")
            continue
        row = dict(zip(header, values, strict=True))
        yield from _faults_of_row(line, row, seed)
        span = (row.get("valid_from", ""), row.get("valid_to") or OPEN_END, line)
        key = tuple(row[c] for c in seed.identity)
        if seed.key:
            yield from _faults_of_key(span, seed, key, spans.setdefault(key, []))


def _faults_of_row(line: int, row: dict[str, str], seed: Seed) -> Iterator[Fault]:
    for column, type_ in seed.types.items():
        if row[column] == "":
            if column in FILLED:
                yield Fault(line, f"{seed.name}.{column} is empty", "a value in every row")
            continue
        if not _checker(type_)(row[column]):
            yield Fault(line, f"{seed.name}.{column} is {row[column]!r}", f"a value of type {type_}")
    if row.get("valid_to") and not row["valid_from"] < row["valid_to"]:
        what = f"{seed.name}: valid_from {row['valid_from']} is not before valid_to {row['valid_to']}"
        yield Fault(line, what, "valid_to is the first day no longer valid, or empty")


def _faults_of_key(span: tuple[str, str, int], seed: Seed, key: tuple, before: list) -> Iterator[Fault]:
    """A key appears once, and where it has validity, once on any day."""
    first, last, line = span
    name = ", ".join(filter(None, key))
    for other_first, other_last, other_line in before:
        if not seed.is_versioned or first == other_first:
            what = f"{seed.name}: the key {name or first} is a duplicate of line {other_line}"
            yield Fault(line, what, f"one row for each {', '.join(seed.key)}")
        elif first < other_last and other_first < last:
            what = f"{seed.name}: the key {name} is valid on the same days as on line {other_line}"
            yield Fault(line, what, "validities that follow one another")
    before.append(span)


def _checker(type_: str) -> Callable[[str], bool]:
    sized = _NUMERIC.fullmatch(type_)
    if sized:
        digits, places = int(sized[1]), int(sized[2])
        return lambda value: _is_numeric(value, digits, places)
    if type_ in _INTEGERS:
        limit = _INTEGERS[type_]
        return lambda value: bool(re.fullmatch(r"-?\d+", value)) and -limit <= int(value) < limit
    return {
        "text": lambda _: True,
        "date": lambda value: _parses(date.fromisoformat, value) and len(value) == 10,
        "time": lambda value: _parses(time.fromisoformat, value),
        "boolean": lambda value: value in ("true", "false"),
        "numeric": lambda value: _parses(Decimal, value),
    }.get(type_, lambda _: False)


def _is_numeric(value: str, digits: int, places: int) -> bool:
    """Whether it fits the type as it is written; the database would round further decimals in silence."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return number.is_finite() and abs(number) < 10 ** (digits - places) and number == round(number, places)


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except (ValueError, InvalidOperation):
        return False
    return True
