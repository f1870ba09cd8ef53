"""Data sets targeted at one rule: only what it reads is changed, so that its joins still meet and few rows decide.

Beside the cells of the staged relations, the seeds that the rule reads change, and the night: which rows are tonight's,
which are withheld, which have an open finding. Like a random data set, it follows from its seed and the names alone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from include.contracts import all_tables
from include.quality.rules import Rule
from include.transform.models import staging_relations
from tests.rules import random_sets

_STRENGTHS = (1, 0.3, 0.1, 0.03)
_CURVES = "staging.int_curves_latest"
_CELLS = (6, 60)  # of a long column that change, at most
_TWIN = 10_000_000
_OTHER_TABLE = "another_table"


def relations_of(rule: Rule) -> list[str]:
    """The staged, warehouse and candidate relations that a rule reads, each with its schema."""
    named = [name if "." in name else f"staging.{name}" for name in rule.reads]
    return sorted(name for name in named if name.split(".")[0] in ("staging", "candidate", "warehouse"))


class Target:
    """The staged utility as it was, read once, and the worlds made from it."""

    def __init__(self, connection: psycopg.Connection, business_date: date) -> None:
        self._connection = connection
        self._business_date = business_date
        self._before: dict[str, tuple[dict[str, Decimal], dict[str, list]]] = {}
        self._newest_load = connection.execute("select max(load_id) from quality.receipts").fetchone()[0]

    def randomize(self, rule: Rule, seed: int) -> None:
        """Makes data set `seed` of a rule, within the transaction."""
        random = Random(f"{seed} {rule.id}")
        connection = self._connection
        connection.execute(
            "set local timezone = 'Asia/Shanghai'; set local enable_nestloop = off"
        )  # as the engine evaluates
        strength, is_dated, is_quiet = random.choice(_STRENGTHS), random.random() < 0.35, random.random() < 0.5
        last_passed = self._newest_load if is_quiet else random_sets.LAST_PASSED
        connection.execute("update quality.current_run set last_passed_load_id = %s", (last_passed,))
        if rule.tests_changes or "quality.open_findings" in rule.reads:
            self._plant_findings(rule, random)
        literals, thresholds = random_sets.literals_of([rule]), random_sets.thresholds_of(connection, [rule])
        relations = relations_of(rule)
        days, moments = self._days(relations, random), self._moments(relations, random)
        for relation in relations:
            if len(relations) > 1 and random.random() < 0.3:
                continue
            largest, before = self._read(relation)
            if not before:
                self._fill(relation, relations, Random(f"{seed} {rule.id} {relation}"))
                continue
            before = _with_twins(before, random)
            share = min(0.35, random.choice(_CELLS) / len(before[next(iter(before))])) * strength
            after = {
                name: self._changed(
                    name,
                    before,
                    is_dated,
                    share,
                    literals[name],
                    thresholds[name],
                    largest[name],
                    last_passed,
                    days,
                    moments,
                    Random(f"{seed} {rule.id} {relation} {name}"),
                )
                for name in before
            }
            rows = random_sets.torn(list(zip(*after.values(), strict=True)), random)
            table = sql.Identifier(*relation.split("."))
            connection.execute(sql.SQL("truncate {}").format(table))
            with connection.cursor().copy(sql.SQL("copy {} from stdin").format(table)) as copy:
                for row in rows:
                    copy.write_row(row)

    def _changed(
        self,
        name: str,
        before: dict[str, list],
        is_dated: bool,
        share: float,
        literals: list[str],
        thresholds: list[Decimal],
        largest: Decimal,
        last_passed: int,
        days: list[date],
        moments: list[datetime],
        random: Random,
    ) -> list:
        if is_dated and random_sets.PERIOD.fullmatch(name):
            return [self._day(value, days, random) for value in before[name]]
        if is_dated and any(isinstance(value, datetime) for value in before[name]) and random.random() < 0.5:
            return [random.choice(moments) if moments and random.random() < 0.3 else value for value in before[name]]
        if is_dated and random.random() < 0.7:
            return before[name]
        after = random_sets.randomized(
            name, before, share, literals, thresholds, largest, self._business_date, random, last_passed
        )
        return [
            value if value == was else _nought(value, random) for value, was in zip(after, before[name], strict=True)
        ]

    def _day(self, value: date | None, days: list[date], random: Random) -> date | None:
        """Where a period begins or ends: often on a day that decides, sometimes nowhere."""
        if isinstance(value, datetime) or random.random() < 0.6:
            return value
        today = self._business_date
        month = today.replace(day=1)
        day = random.choice(
            [*days, *[today, month, month - timedelta(days=1)] * 3, today - timedelta(days=random.randrange(9))]
        )
        return None if random.random() < 0.2 else day + timedelta(days=random.choice((-1, 0, 0, 0, 1)))

    def _fill(self, relation: str, others: list[str], random: Random) -> None:
        """Puts rows into a relation that is empty in the clean world: with the values of columns of the same name elsewhere."""
        names = list(self._read(relation)[0])
        sources = [before for before in (self._read(other)[1] for other in others) if set(names) & set(before)]
        table = sql.Identifier(*relation.split("."))
        for _ in range(random.choice((1, 4, 12)) if sources else 0):
            before = random.choice(sources)
            place = random.randrange(len(next(iter(before.values()))))
            row = [before[name][place] if name in before else None for name in names]
            values = sql.SQL(", ").join(map(sql.Literal, row))
            self._connection.execute(sql.SQL("insert into {} values ({})").format(table, values))

    def _days(self, relations: list[str], random: Random) -> list[date]:
        """Days that stand in some of the relations, beside which periods are made to begin and end."""
        values = [
            value
            for name in relations
            for column in self._read(name)[1].values()
            for value in column
            if isinstance(value, date)
        ]
        found = {value.date() if isinstance(value, datetime) else value for value in values}
        return sorted(random.sample(sorted(found), min(12, len(found)))) or [self._business_date]

    def _moments(self, relations: list[str], random: Random) -> list[datetime]:
        """Moments that stand in some of the relations, and the midnights and mornings of the days of readings."""
        found = {
            value
            for name in relations
            for values in self._read(name)[1].values()
            for value in values
            if isinstance(value, datetime)
        }
        known = random.sample(sorted(found), min(8, len(found)))
        zone = ZoneInfo("Asia/Shanghai")
        day = datetime(self._business_date.year, self._business_date.month, self._business_date.day, tzinfo=zone)
        return known + [day + timedelta(days=random.randrange(-8, 2), hours=random.choice((0, 0, 8))) for _ in range(8)]

    def _read(self, relation: str) -> tuple[dict[str, Decimal], dict[str, list]]:
        if relation not in self._before:
            rows = self._connection.execute(
                sql.SQL('select * from {} as t order by t::text collate "C"').format(
                    sql.Identifier(*relation.split("."))
                )
            )
            largest = {column.name: random_sets.largest_of(column) for column in rows.description}
            columns = [list(values) for values in zip(*rows.fetchall(), strict=True)]
            self._before[relation] = largest, dict(zip(largest, columns, strict=True)) if columns else {}
        return self._before[relation]

    def _plant_findings(self, rule: Rule, random: Random) -> None:
        """Some rows of what the rule reads are withheld, others have a finding: of this table or another, open or fixed."""
        tables = {relation: name for name, relation in staging_relations().items()}
        relations = [name for name in relations_of(rule) if name in tables]
        if "int_curves_latest" in rule.reads:
            relations.append(_CURVES)
            tables[_CURVES] = "met_interval_96"
        for relation in sorted(set(relations)):
            raw_ids = sorted(self._read(relation)[1].get("_raw_id", ()))
            source = all_tables()[tables[relation]].source
            for raw_id in random.sample(raw_ids, min(len(raw_ids), random.choice((1, 4, 30)))):
                table = random.choice((tables[relation], tables[relation], _OTHER_TABLE))
                if tables[relation] == "met_interval_96" and random.random() < 0.5:
                    self._connection.execute(
                        "insert into quality.quarantined_rows (source_name, table_name, raw_id, state, rule_ids, record_key, from_run)"
                        " values (%s, %s, %s, 'quarantined', '{}', '{}', 1) on conflict do nothing",
                        (source, table, raw_id),
                    )
                    continue
                self._connection.execute(
                    "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name,"
                    " table_name, record_key, raw_id) values (%s, 1, %s, '2026-11-05', %s, 'mismatch', 'warn', %s, %s, '{}', %s)",
                    (10_000 + raw_id, random.choice(("opened", "seen", "fixed")), rule.id, source, table, raw_id),
                )


def _with_twins(before: dict[str, list], random: Random) -> dict[str, list]:
    """The rows, of which some appear twice under two row numbers, to be changed apart."""
    count = len(next(iter(before.values())))
    places = [random.randrange(count) for _ in range(random.choice((0, 0, 2, 6)))]
    twins = {name: [values[place] for place in places] for name, values in before.items()}
    if "_raw_id" in twins:
        twins["_raw_id"] = [raw_id + _TWIN for raw_id in twins["_raw_id"]]
    return {name: values + twins[name] for name, values in before.items()}


def _nought(value: object, random: Random) -> object:
    """A number, or a day of numbers, that became zero, where it is not left as it is."""
    if random.random() >= 0.15:
        return value
    if isinstance(value, list):
        return [0.0] * len(value)
    return type(value)(0) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else value
