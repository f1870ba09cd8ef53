"""What the contracts declare in `customProperties`: known properties and keys, names of both languages, columns that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from include.choices import choices, did_you_mean
from include.contracts import declarations
from include.contracts.meanings import MEANINGS
from include.local.lint.problem import Problem

LINE = "__line__"
SHAPE = ("updatePattern", "cursorColumn", "keyColumns", "maxLateDays", "slotCount", "slotMinutes", "slotLabel")
_BOUND = re.compile(r"-?\d+(\.\d+)?|\d{4}-\d\d-\d\d|business_date( [+-] \d+ (day|month|year)s?)?")

Tables = dict[str, dict]


def check_declarations(file: str, table: dict, tables: Tables) -> Iterator[Problem]:
    """The declarations of one table; `tables` are those of all contracts by name, as their files state them."""
    name = table["name"]
    yield from _named(file, table, name)
    yield from _known(file, table, name, (*SHAPE, *declarations.TABLE_PROPERTIES))
    own = _Names(name, tables)
    for entry in table.get("customProperties") or []:
        yield from _check_table_property(file, entry, own)
    for column in table["properties"]:
        what = f"{name}.{column['name']}"
        yield from _named(file, column, what)
        yield from _known(file, column, what, declarations.COLUMN_PROPERTIES)
        for entry in column.get("customProperties") or []:
            yield from _check_column_property(file, entry, what, own)
        for relationship in column.get("relationships") or []:
            yield from _check_relationship(file, relationship, own)
    for relationship in table.get("relationships") or []:
        yield from _check_relationship(file, relationship, own)


class _Names:
    """The columns of a table, and of the rows that its columns refer to."""

    def __init__(self, name: str, tables: Tables) -> None:
        self.name = name
        self.tables = tables
        self.columns = {c["name"] for c in tables[name]["properties"]}
        stated = {p["property"]: p["value"] for p in tables[name].get("customProperties") or []}
        self.is_compared_whole = stated.get("updatePattern") in declarations.COMPARED_WHOLE
        self.referred: dict[str, str] = {}  # own column -> table that it refers to
        for column in tables[name]["properties"]:
            for relationship in column.get("relationships") or []:
                self.referred.setdefault(column["name"], target_of(relationship)[0])
        for relationship in tables[name].get("relationships") or []:
            first = relationship["from"][0].split(".")[1]
            self.referred.setdefault(first, target_of(relationship)[0])

    def of(self, table: str) -> set[str]:
        return {c["name"] for c in self.tables[table]["properties"]} if table in self.tables else set()

    def wrong(self, path: str) -> tuple[str, Iterable[str]] | None:
        """Why a name leads to no column of the table or of a row that it refers to, with what is allowed; None where it does."""
        column, _, target = str(path).partition(".")
        if column not in self.columns:
            return f"{column}, which is no column of {self.name}", sorted(self.columns)
        if not target:
            return None
        if column not in self.referred:
            return f"{path}, but {self.name}.{column} refers to no table", sorted(self.referred)
        if target not in self.of(self.referred[column]):
            return f"{path}, but {target} is no column of {self.referred[column]}", sorted(
                self.of(self.referred[column])
            )
        return None


def target_of(relationship: dict) -> tuple[str, str]:
    """Table and first column that a relationship leads to."""
    targets = relationship["to"] if isinstance(relationship["to"], list) else [relationship["to"]]
    table, _, column = re.sub(r"^.*#/schema/", "", targets[0]).replace("/properties/", ".").partition(".")
    return table, column


def _named(file: str, thing: dict, what: str) -> Iterator[Problem]:
    given = {p["property"]: p["value"] for p in thing.get("customProperties") or []}
    english, chinese = str(thing.get("businessName") or ""), str(given.get("businessNameZh") or "")
    if not english or re.search(r"[\u4e00-\u9fff]", english):
        yield Problem(file, thing[LINE], f"{what} has no English businessName", "a name in English, without Chinese")
    if not re.search(r"[\u4e00-\u9fff]", chinese):
        yield Problem(file, thing[LINE], f"{what} has no Chinese name", "customProperty businessNameZh in Chinese")


def _known(file: str, thing: dict, what: str, known: tuple[str, ...]) -> Iterator[Problem]:
    for entry in thing.get("customProperties") or []:
        if entry["property"] not in known:
            wrong = f"{what} has the unknown customProperty {entry['property']}"
            yield Problem(file, entry[LINE], wrong + did_you_mean(entry["property"], known), ", ".join(known))


def _keys(
    file: str, entry: dict, line: int, what: str, known: tuple[str, ...], needed: tuple[str, ...]
) -> Iterator[Problem]:
    for key in entry:
        if key != LINE and key not in known:
            yield Problem(file, line, f"{what} has the unknown key {key}{did_you_mean(key, known)}", ", ".join(known))
    for key in needed:
        if key not in entry:
            yield Problem(file, line, f"{what} lacks the key {key}", ", ".join(known))


def _columns(file: str, line: int, what: str, paths: Iterable, own: _Names) -> Iterator[Problem]:
    for path in paths:
        if found := own.wrong(path):
            yield Problem(file, line, f"{what} names {found[0]}", choices(str(path).rpartition(".")[2], found[1]))


def _of(file: str, line: int, what: str, table: str, columns: Iterable, own: _Names) -> Iterator[Problem]:
    if table not in own.tables:
        yield Problem(
            file, line, f"{what} names {table}, which is no table of the contracts", choices(table, sorted(own.tables))
        )
        return
    for column in columns:
        if column not in own.of(table):
            allowed = choices(str(column), sorted(own.of(table)))
            yield Problem(file, line, f"{what} names {column}, which is no column of {table}", allowed)


def _one_of(file: str, line: int, what: str, value, allowed: tuple) -> Iterator[Problem]:
    if value not in allowed:
        yield Problem(file, line, f"{what} is {value}", ", ".join(map(str, allowed)))


def _check_table_property(file: str, entry: dict, own: _Names) -> Iterator[Problem]:
    name, value, line = entry["property"], entry["value"], entry[LINE]
    what = f"{name} of {own.name}"
    if name == "inForce":
        yield from _columns(file, line, what, value, own)
    elif name == "renews":
        yield from _columns(file, line, what, (column for column in value if column != LINE), own)
    elif name == "recordIdentity":
        yield from _record_identity(file, line, value, own)
    elif name == "factDate":
        yield from _columns(file, line, what, [value], own)
    elif name == "shrinks" and not isinstance(value, bool):
        known = ("shrinks", "pendingShare", "blockShare", "rows")
        yield from _keys(file, value, line, what, known, ("pendingShare", "blockShare"))
    elif name == "keepsMonths" and not (isinstance(value, int) and value > 0):
        yield Problem(file, line, f"{what} is {value!r}", "a number of months from 1")
    elif name in LISTED:
        needed, check = LISTED[name]
        for given in value:
            at = given[LINE]
            problems = [*_keys(file, given, at, what, declarations.TABLE_PROPERTIES[name], needed)]
            yield from problems
            if not problems:
                severity = given.get("severity", "warn")
                yield from _one_of(file, at, f"severity in {what}", severity, declarations.SEVERITIES)
                yield from check(file, at, given, own)


def _record_identity(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"recordIdentity of {own.name}"
    problems = [*_keys(file, given, line, what, declarations.TABLE_PROPERTIES["recordIdentity"], ("columns",))]
    yield from problems
    if problems:
        return
    named = [*given["columns"], *given.get("corrects", []), *(k for k in given.get("where") or {} if k != LINE)]
    yield from _columns(file, line, what, [*named, *([given["time"]] if "time" in given else [])], own)
    if ("time" in given) != ("withinMinutes" in given):
        yield Problem(
            file, line, f"{what} has a time without a limit, or a limit without a time", "time and withinMinutes"
        )


def _order(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"order of {own.name}"
    yield from _columns(file, line, what, given["columns"], own)
    if len(given["columns"]) < 2:
        yield Problem(file, line, f"{what} lists one column", "two columns or more, the earlier first")


def _condition(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"the condition on {given['column']} of {own.name}"
    named = [given["column"], *(k for k in given.get("where") or {} if k != LINE), *given.get("given", [])]
    yield from _columns(file, line, what, [*named, *([given["since"]] if "since" in given else [])], own)
    if not isinstance(given["is"], list):
        allowed = (declarations.FILLED, declarations.EMPTY, "a list of values")
        yield from _one_of(file, line, f"is in {what}", given["is"], allowed)
    if not given.get("where") and not given.get("given"):
        yield Problem(file, line, f"{what} says of no other column when it holds", "where or given")
    if ("since" in given) != ("dueDays" in given):
        yield Problem(file, line, f"{what} has a day without a limit, or a limit without a day", "since and dueDays")
    if "since" in given and not own.is_compared_whole:
        yield Problem(file, line, f"{what} is due later, and an event is judged when it lands", "no since")


def _period(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"periods of {own.name}"
    yield from _columns(file, line, what, [*given["by"], *(k for k in given.get("where") or {} if k != LINE)], own)
    if not any(p["property"] == "inForce" for p in own.tables[own.name].get("customProperties") or []):
        yield Problem(file, line, f"{what}: the table has no inForce", "inForce: [first day, last day]")


def _repeated(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    named = [*given["series"], given["along"], *given["columns"], *([given["rows"]] if "rows" in given else [])]
    yield from _columns(file, line, f"repeats of {own.name}", named, own)


def _crowd(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"crowds of {own.name}"
    marks = [mark for mark in declarations.MARKS if mark in given]
    if len(marks) != 1:
        yield Problem(file, line, f"{what} has {len(marks)} marks", "one of " + ", ".join(declarations.MARKS))
        return
    marked = given[marks[0]] if isinstance(given[marks[0]], list) else [given[marks[0]]]
    named = [*given["by"], *marked, *(k for k in given.get("where") or {} if k != LINE)]
    yield from _columns(file, line, what, [*named, *([given["date"]] if "date" in given else [])], own)


def _equation(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"equation {given['name']} of {own.name}"
    try:
        sides = declarations.split(given["states"])
    except ValueError as error:
        yield Problem(file, line, f"{what}: {error}")
        return
    children = {k: v for k, v in (given.get("children") or {}).items() if k != LINE}
    named = declarations.names_in(f"{sides['left']} {sides['right']}")
    yield from _columns(file, line, what, [n for n in named if n not in children], own)
    yield from _columns(file, line, what, (k for k in given.get("where") or {} if k != LINE), own)
    if "rule" not in given and ("tolerance" not in given or "unit" not in given):
        yield Problem(file, line, f"{what} has no tolerance", "tolerance and its unit")
    for name, child in children.items():
        known = ("table", "sum", "count", "where", "by")
        yield from _keys(file, child, line, f"child {name} of {what}", known, ("table",))
        columns = [*([child["sum"]] if "sum" in child else []), *(k for k in child.get("where") or {} if k != LINE)]
        yield from _of(file, line, f"child {name} of {what}", child.get("table"), columns, own)


def _expected(file: str, line: int, given: dict, own: _Names) -> Iterator[Problem]:
    what = f"expected {given['what']} of {own.name}"
    yield from _one_of(file, line, f"each in {what}", given["each"], declarations.EACH)
    by = {k: v for k, v in given["by"].items() if k != LINE}
    mine = [
        *by,
        *(k for k in given.get("rows") or {} if k != LINE),
        *given.get("anyFilled", []),
        *([given["date"]] if "date" in given else []),
    ]
    theirs = [
        *by.values(),
        *(k for k in given.get("where") or {} if k != LINE),
        *(given[k] for k in ("since", "until") if k in given),
    ]
    for channel in given.get("channels") or []:
        yield from _keys(
            file, channel, channel[LINE], f"a channel of {what}", ("values", "where", "filled"), ("values",)
        )
        mine += [k for k in channel.get("values") or {} if k != LINE]
        theirs += [*(k for k in channel.get("where") or {} if k != LINE), *channel.get("filled", [])]
    yield from _columns(file, line, what, mine, own)
    yield from _of(file, line, what, given["archive"], theirs, own)


# Properties that list entries: the keys that each needs, and what else is wrong with it.
LISTED = {
    "order": (("columns",), _order),
    "equations": (("name", "states"), _equation),
    "expected": (("what", "each", "archive", "by"), _expected),
    "conditions": (("column", "is"), _condition),
    "periods": (("by",), _period),
    "crowds": (("what", "by", "share"), _crowd),
    "repeats": (("series", "along", "columns", "least"), _repeated),
}


def _check_column_property(file: str, entry: dict, what: str, own: _Names) -> Iterator[Problem]:
    name, value, line = entry["property"], entry["value"], entry[LINE]
    if name == "meaning":
        if value not in MEANINGS:
            yield Problem(file, line, f"{what} has the unknown meaning {value}", choices(str(value), sorted(MEANINGS)))
    elif name == "judgedBy":
        yield from _keys(file, value, line, f"judgedBy of {what}", declarations.JUDGEMENTS, ())
    elif name == "plausible":
        bounds = value if isinstance(value, list) else []
        if len(bounds) != 2 or any(b is not None and not _BOUND.fullmatch(str(b)) for b in bounds):
            allowed = "[least, most]: numbers, days, business_date + n days, or null for none"
            yield Problem(file, line, f"plausible of {what} is {value}", allowed)
    elif name == "identity":
        yield from _keys(file, value, line, f"identity of {what}", ("holder", "shared", "rule"), ("holder",))
        yield from _columns(file, line, f"identity of {what}", value.get("holder", []), own)
        if "rule" not in value:
            yield from _one_of(file, line, f"shared of {what}", value.get("shared"), declarations.SHARED)
    elif name == "sharing":
        yield from _keys(file, value, line, f"sharing of {what}", declarations.SHARING, ())
        named = [*value.get("holder", []), *value.get("differsFrom", [])]
        yield from _columns(file, line, f"sharing of {what}", named, own)
        if ("holder" in value) != ("atMost" in value):
            yield Problem(
                file, line, f"sharing of {what} has a holder without a limit, or a limit alone", "holder and atMost"
            )
    elif name == "withholdable" and value is not True:
        yield Problem(file, line, f"withholdable of {what} is {value}", "true, or no such property")


def _check_relationship(file: str, relationship: dict, own: _Names) -> Iterator[Problem]:
    table, _ = target_of(relationship)
    what = f"the relationship of {own.name} to {table}"
    yield from _known(file, relationship, what, declarations.RELATIONSHIP_PROPERTIES)
    for entry in relationship.get("customProperties") or []:
        name, value, line = entry["property"], entry["value"], entry[LINE]
        if name == "onUnresolved":
            yield from _one_of(file, line, f"onUnresolved of {what}", value, declarations.ON_UNRESOLVED)
        elif name == "where":
            yield from _columns(file, line, f"where of {what}", (k for k in value if k != LINE), own)
        elif name == "total" and isinstance(value, dict):
            yield from _of(file, line, f"total of {what}", table, (k for k in value if k != LINE), own)
        elif name == "agrees":
            for pair in value:
                mine, _, theirs = str(pair).partition(" = ")
                yield from _columns(file, line, f"agrees of {what}", [mine], own)
                yield from _of(file, line, f"agrees of {what}", table, [theirs or mine], own)
