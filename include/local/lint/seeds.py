"""The seeds: every CSV against the columns and types that its YAML declares, keys, validity and sources."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from include.local.lint.problem import Problem, choices, did_you_mean, line_of

FOLDER = Path("dbt_project") / "seeds"
NAMES_A_SOURCE = ("valid_from", "source_doc")  # filled in every row of a seed that declares them
OPEN_END = date.max.isoformat()
_NUMERIC = re.compile(r"numeric\((\d+), ?(\d+)\)")
_INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


@dataclass(frozen=True)
class Seed:
    """`key` is what its grain test declares; `versioned` where rows of a key follow one another in time."""

    name: str
    yaml_file: Path
    types: dict[str, str]
    key: tuple[str, ...]

    @property
    def versioned(self) -> bool:
        return "valid_from" in self.key


def check_seeds(root: Path) -> list[Problem]:
    problems, declared = [], {}
    for path in sorted((root / FOLDER).glob("*/_*__seeds.yml")):
        for entry in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["seeds"]:
            seed = _seed(path, entry)
            declared[seed.name] = seed
    files = {path.stem: path for path in sorted((root / FOLDER).rglob("*.csv"))}
    for name in sorted(declared.keys() - files.keys()):
        path = declared[name].yaml_file
        problems.append(
            Problem(
                str(path.relative_to(root)), line_of(path, f"name: {name}"), f"the seed {name} has no file {name}.csv"
            )
        )
    for name, path in files.items():
        file = str(path.relative_to(root))
        if name not in declared:
            problems.append(Problem(file, 1, f"no _*__seeds.yml declares {name}", choices(name, sorted(declared))))
            continue
        seed = declared[name]
        if not seed.key:
            problems.append(
                Problem(
                    str(seed.yaml_file.relative_to(root)),
                    line_of(seed.yaml_file, f"name: {name}"),
                    f"the seed {name} declares no key",
                    "data_tests unique_grain or versions_follow_each_other with its columns",
                )
            )
        problems += _check_file(file, path, seed)
    return problems


def _seed(path: Path, entry: dict) -> Seed:
    key: tuple[str, ...] = ()
    for test in entry.get("data_tests") or []:
        for name, given in test.items():
            if name in ("unique_grain", "versions_follow_each_other"):
                columns = tuple(given["arguments"]["columns"])
                key = columns if name == "unique_grain" else (*columns, "valid_from")
    return Seed(entry["name"], path, (entry.get("config") or {}).get("column_types") or {}, key)


def _check_file(file: str, path: Path, seed: Seed) -> Iterator[Problem]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        unknown = [c for c in header if c not in seed.types]
        missing = [c for c in seed.types if c not in header]
        for column in unknown:
            what = f"{seed.name} has the undeclared column {column}{did_you_mean(column, seed.types)}"
            yield Problem(file, 1, what, choices(column, seed.types))
        for column in missing:
            yield Problem(file, 1, f"{seed.name} lacks the declared column {column}")
        if unknown or missing:
            return
        rows: dict[tuple, list[tuple[str, str, int]]] = {}
        for values in reader:
            line = reader.line_num
            if len(values) != len(header):
                yield Problem(file, line, f"{len(values)} values in a row of {len(header)} columns")
                continue
            row = dict(zip(header, values, strict=True))
            yield from _check_row(file, line, row, seed)
            span = (row.get("valid_from", ""), row.get("valid_to") or OPEN_END, line)
            key = tuple(row[c] for c in seed.key if c != "valid_from")
            if seed.key:
                yield from _check_key(file, span, seed, key, rows.setdefault(key, []))


def _check_row(file: str, line: int, row: dict[str, str], seed: Seed) -> Iterator[Problem]:
    for column, type_ in seed.types.items():
        if row[column] == "":
            if column in NAMES_A_SOURCE:
                yield Problem(file, line, f"{seed.name}.{column} is empty", "a value in every row")
            continue
        if not _checker(type_)(row[column]):
            yield Problem(file, line, f"{seed.name}.{column} is {row[column]!r}", f"a value of type {type_}")
    if row.get("valid_to") and not row["valid_from"] < row["valid_to"]:
        what = f"{seed.name}: valid_from {row['valid_from']} is not before valid_to {row['valid_to']}"
        yield Problem(file, line, what, "valid_to is the first day no longer valid, or empty")


def _check_key(file: str, span: tuple[str, str, int], seed: Seed, key: tuple, before: list) -> Iterator[Problem]:
    """A key appears once, and where it has validity, once on any day."""
    first, last, line = span
    name = ", ".join(filter(None, key))
    for other_first, other_last, other_line in before:
        if not seed.versioned or first == other_first:
            what = f"{seed.name}: the key {name or first} is a duplicate of line {other_line}"
            yield Problem(file, line, what, f"one row for each {', '.join(seed.key)}")
        elif first < other_last and other_first < last:
            what = f"{seed.name}: the key {name} is valid on the same days as on line {other_line}"
            yield Problem(file, line, what, "validities that follow one another")
    before.append(span)


def _checker(type_: str) -> Callable[[str], bool]:
    sized = _NUMERIC.fullmatch(type_)
    if sized:
        digits, places = int(sized[1]), int(sized[2])
        return lambda text: _is_numeric(text, digits, places)
    if type_ in _INTEGERS:
        limit = _INTEGERS[type_]
        return lambda text: bool(re.fullmatch(r"-?\d+", text)) and -limit <= int(text) < limit
    return {
        "text": lambda _: True,
        "date": lambda text: _parses(date.fromisoformat, text) and len(text) == 10,
        "time": lambda text: _parses(time.fromisoformat, text),
        "boolean": lambda text: text in ("true", "false"),
        "numeric": lambda text: _parses(Decimal, text),
    }.get(type_, lambda _: False)


def _is_numeric(text: str, digits: int, places: int) -> bool:
    """Whether it fits the type as it is written; the database would round further decimals in silence."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and abs(value) < 10 ** (digits - places) and value == round(value, places)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except (ValueError, InvalidOperation):
        return False
    return True


def load_seeds(connection: psycopg.Connection, root: Path) -> None:
    """Makes the table of every seed, with its rows where the database takes them; what is wrong in them is told by `check_seeds`."""
    for path in sorted((root / FOLDER).glob("*/_*__seeds.yml")):
        for entry in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["seeds"]:
            seed = _seed(path, entry)
            table = sql.Identifier("staging", seed.name)
            columns = [sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in seed.types.items()]
            connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
            file = path.with_name(f"{seed.name}.csv")
            with contextlib.suppress(psycopg.Error, OSError, StopIteration), connection.transaction():
                with file.open(encoding="utf-8", newline="") as stream:
                    header = next(csv.reader(stream))
                names = sql.SQL(", ").join(map(sql.Identifier, header))
                command = sql.SQL("copy {} ({}) from stdin (format csv, header true)").format(table, names)
                with connection.cursor().copy(command) as copy:
                    copy.write(file.read_bytes())
