"""Random data sets: the staged utility with many cells changed at once, so that hardly a condition of a rule is without a row.

Which cells change and to what follows from the seed and the names of relation and column alone. A value is taken from what
decides in rules: nothing, the literals and thresholds that rules compare the column with, the row's other columns of the
type, another row's value, and whatever lies just beside these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import psycopg
from psycopg import sql

from include.quality.rules import Rule

SEEDS = range(12)  # data sets that are recorded
DATED = range(9, 12)  # of them those in which only periods of validity begin and end elsewhere

_STRING = r"'(?:[^']|'')*'"
_COMPARED = re.compile(rf"\b(\w+)\s*(?:=|<>|in|not in)\s*\(?\s*({_STRING}(?:\s*,\s*{_STRING})*)")
_CASE = re.compile(r"\bcase\s+(?:\w+\.)?(\w+)\b(.*?)\bend\b", re.DOTALL)
_FACTORS = (
    "0",
    "-1",
    "0.1",
    "0.5",
    "0.9",
    "0.98",
    "0.99",
    "0.995",
    "1.001",
    "1.005",
    "1.01",
    "1.02",
    "1.05",
    "1.1",
    "1.2",
    "1.25",
    "2",
    "10",
)
_STEPS = ("0.01", "0.02", "0.03", "0.5", "1", "2")
_STRENGTHS = (1, 0.3, 0.1)  # rules that join much see whole rows only where little is changed
_DAYS = range(9)  # the days of readings, and the one before
_TIMES = (
    timedelta(0),
    timedelta(days=1),
    timedelta(0),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(minutes=3),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=31),
)
PERIOD = re.compile(r"(valid|state)_(from|to)|(install|remove|effective|signed|connect|close)_date")
_UNTOUCHED = {"_raw_id", "_key"}
LAST_PASSED = -5  # below every true load: what was loaded tonight stays so, but where a row is given another load


def randomize(connection: psycopg.Connection, rules: list[Rule], business_date: date, seed: int) -> None:
    """Changes the staged relations that `rules` read (the whole book, in every test alike), within the transaction."""
    literals, thresholds = literals_of(rules), thresholds_of(connection, rules)
    connection.execute(
        "set local timezone = 'Asia/Shanghai'; set local enable_nestloop = off"
    )  # as the engine evaluates
    connection.execute("update quality.current_run set last_passed_load_id = %s", (LAST_PASSED,))
    for relation in sorted({name for rule in rules for name in rule.reads if name.startswith(("stg_", "int_"))}):
        table = sql.Identifier("staging", relation)
        rows = connection.execute(sql.SQL('select * from {} as t order by t::text collate "C"').format(table))
        largest = {column.name: largest_of(column) for column in rows.description}
        columns = [list(values) for values in zip(*rows.fetchall(), strict=True)]
        if not columns:
            continue
        before = dict(zip(largest, columns, strict=True))
        share = min(0.35, 6 / len(before)) * _STRENGTHS[seed % len(_STRENGTHS)]
        if seed in DATED:
            dated = [
                moved(name, values, business_date, Random(f"{seed} {relation} {name}"))
                for name, values in before.items()
            ]
            after = list(zip(*dated, strict=True))
        else:
            changed = [
                randomized(
                    name,
                    before,
                    share,
                    literals[name],
                    thresholds[name],
                    largest[name],
                    business_date,
                    Random(f"{seed} {relation} {name}"),
                )
                for name in before
            ]
            after = torn(list(zip(*changed, strict=True)), Random(f"{seed} {relation}"))
        connection.execute(sql.SQL("delete from {}").format(table))
        with connection.cursor().copy(sql.SQL("copy {} from stdin").format(table)) as copy:
            for row in after:
                copy.write_row(row)


def largest_of(column: psycopg.Column) -> Decimal:
    """The largest number that a column takes and a test needs."""
    return Decimal(10) ** min(8, column.precision - column.scale) - 1 if column.precision else Decimal(9999)


def torn(rows: list[tuple], random: Random) -> list[tuple]:
    """The rows of which some are gone and some appear twice."""
    return [row for row in rows for _ in range(random.choices((0, 1, 2), (4, 92, 4))[0])]


def moved(name: str, values: list, today: date, random: Random) -> list:
    """A column in which some periods begin or end on a day that rules look at: of the readings, or the turn of a month."""
    if not PERIOD.fullmatch(name):
        return values
    months = [date(today.year - (today.month <= back), (today.month - back - 1) % 12 + 1, 1) for back in range(12)]
    found = []
    for value in values:
        day = random.choice([today - timedelta(days=random.choice(_DAYS)), today, random.choice(months), months[0]])
        day += timedelta(days=random.choice((-1, -1, 0, 0, 1)))
        if random.random() < 0.4 and not isinstance(value, datetime):
            value = None if value and random.random() < 0.1 else day
        found.append(value)
    return found


def randomized(
    name: str,
    before: dict[str, list],
    share: float,
    literals: list[str],
    thresholds: list[Decimal],
    largest: Decimal,
    today: date,
    random: Random,
    last_passed: int = LAST_PASSED,
) -> list:
    """One column with some of its values changed: in a wide table fewer, so that some rows stay whole."""
    values = list(before[name])
    share *= random.choice((0.2, 0.5, 1))
    for place, value in enumerate(values):
        if name in _UNTOUCHED or random.random() >= share:
            continue
        if name == "_load_id":
            values[place] = random.choice((last_passed - 1, last_passed, last_passed + 1))
            continue
        kind = next((known for known in before[name] if known is not None), None)
        if random.random() < 0.2:
            values[place] = None
        elif isinstance(kind, bool):
            values[place] = not value
        elif isinstance(kind, list):
            values[place] = _curve(value, random)
        elif isinstance(kind, str):
            values[place] = _text(value, before[name], literals, random)
        elif isinstance(kind, (int, float, Decimal)):
            others = [before[other][place] for other in before if isinstance(before[other][place], Decimal)]
            values[place] = _number(
                value, before[name], others, thresholds, largest, random, is_whole=isinstance(kind, int)
            )
        elif isinstance(kind, date):
            others = [before[other][place] for other in before if isinstance(before[other][place], date)]
            values[place] = _time(value, kind, before[name], others, today, random)
    return values


def _text(value: str | None, column: list, literals: list[str], random: Random) -> str | None:
    if literals and random.random() < 0.7:
        return random.choice(literals)
    return random.choice([random.choice(column), "", " ", f"{value} "])


def _number(
    value, column: list, others: list, thresholds: list[Decimal], largest: Decimal, random: Random, is_whole: bool
):
    known = [Decimal(str(x)) for x in (value, random.choice(column), *others) if x is not None] or [Decimal(1)]
    start = random.choice([known[0], random.choice(known), random.choice(thresholds or known)])
    moved = random.choice(
        [
            start,
            start * random.choice([*map(Decimal, _FACTORS), *thresholds]),
            start + random.choice((-1, 1)) * random.choice([*map(Decimal, _STEPS), *thresholds]),
        ]
    )
    moved = max(-largest, min(largest, moved))
    return int(moved) if is_whole else round(moved, random.choice((2, 4)))


def _time(value, kind, column: list, others: list, today: date, random: Random):
    """A moment beside another of the same row, beside another row's, or beside the business date."""
    known = [x for x in (value, random.choice(column), *others) if x is not None]
    month = today.replace(day=1)
    days = [today, today - timedelta(days=random.choice(_DAYS)), month, month - timedelta(days=1)]
    start = random.choice([random.choice(known or days), random.choice(days)])
    if isinstance(kind, datetime) and not isinstance(start, datetime):
        start = datetime(start.year, start.month, start.day, tzinfo=kind.tzinfo)
    elif not isinstance(kind, datetime) and isinstance(start, datetime):
        start = start.date()
    step = random.choice((-1, 1)) * random.choice(_TIMES)
    return start + step


def _curve(values: list | None, random: Random) -> list | None:
    """A day curve with gaps, a run of equal values, a spike, zeros or another scale."""
    if not values:
        return values
    first, length = random.randrange(40), random.choice((1, 2, 3, 10, 11, 15, 16, 17, 40, 95, 96))
    put = random.choice([None, 0.0, values[first], -1.0, "spike", "scale"])
    factor = random.choice((0.01, 0.5, 0.95, 1.003, 1.02, 1.06, 1.3, 2.0, 2.9, 4.0, 30.0, 1000.0))
    within = range(len(values)) if put == "scale" else range(first, first + (1 if put == "spike" else length))
    return [
        x if place not in within else (x and x * factor) if put in ("spike", "scale") else put
        for place, x in enumerate(values)
    ]


def literals_of(rules: list[Rule]) -> dict[str, list[str]]:
    """Column -> strings that some rule compares it with."""
    found: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        query = f"{rule.tested_sql}\n{rule.violations_sql}"
        for column, strings in _COMPARED.findall(query):
            found[column].update(re.findall(_STRING, strings))
        for column, arms in _CASE.findall(query):
            found[column].update(re.findall(rf"when\s+({_STRING})", arms))
    return defaultdict(
        list, {column: sorted(s[1:-1].replace("''", "'") for s in strings) for column, strings in found.items()}
    )


def thresholds_of(connection: psycopg.Connection, rules: list[Rule]) -> dict[str, list[Decimal]]:
    """Column -> thresholds of the rules that read it."""
    values: dict[str, set[Decimal]] = defaultdict(set)
    for rule_id, value in connection.execute("select rule_id, value from staging.quality_parameters"):
        values[rule_id].add(value)
    found: dict[str, set[Decimal]] = defaultdict(set)
    for rule in rules:
        for word in set(re.findall(r"\w+", rule.tested_sql)):
            found[word] |= values[rule.id]
    return defaultdict(list, {column: sorted(known) for column, known in found.items()})
