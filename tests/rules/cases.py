"""Typed cases of rules, read from the YAML file beside each rule: what is given, and what the rule must then say.

`expectations/<area>/<ID>_<what_holds>.cases.yaml` is a list of cases. A case gives a fault in the clean utility (`given`) or
a small utility of its own (`only`: of the staged relations that the rule reads no other rows are there), and says

    finds       the worst severity found, or nothing
    tested      how many records are tested
    violations  the findings, as a table of the columns that matter; none where the rule finds nothing
    breaks      with `given`: the other rules of its gate that this very fault breaks, and no others

A value is itself, or SQL after `=`; `95 x 1, 1 x 7` are 96 slots. `open_findings` has rule_id, table_name and raw_id of findings
that are open. A row of `only` is of tonight, but with `_load_id` 1 of an earlier night; a relation that is `= another one` has
its newest versions. `$name` is a record of `records.yaml`, `{{table}}` the raw relation of a contract table.
The steps of `given` name contract tables, or relations with their schema: `change` (of rows that are `numbered` by n, where
that is said), `add` rows like others (of the same key where it
`is_copy`, or `from` another table), `remove`, or else `sql`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from hashlib import md5
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from include.contracts import all_tables
from include.quality.evaluate import bind
from include.quality.rules import EXPECTATIONS, SEVERITIES, Rule
from include.records.database import raw_columns
from tests.rules.staged import Staged
from tests.rules.stand_ins import good_marts, theme_of

RECORDS = Path(__file__).with_name("records.yaml")
SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
KEYS = {"case", "why", "limits", "given", "only", "open_findings", "finds", "tested", "violations", "breaks"}
STEPS = {
    "change": {"set", "where", "numbered"},
    "add": {"like", "from", "set", "is_copy"},
    "remove": {"where"},
    "sql": set(),
}
NOTHING = "nothing"
_OF_LANDING = ("_load_id", "_business_date", "_channel", "_file_line", "_is_tombstone", "_key", "_hash")
_PASSED_LOAD, _TONIGHT = 1, 2
_SLOTS = re.compile(r"\d+ x [\w.-]+(, \d+ x [\w.-]+)*")
_CELLS = re.compile(r"(?<!\|)\|(?!\|)")


@dataclass(frozen=True)
class Case:
    """One case; `says` has those of finds, tested and violations that are typed in."""

    rule_id: str
    name: str
    why: str
    limits: dict[str, object]
    given: tuple[dict, ...]
    only: dict[str, object] | None
    open_findings: str
    says: dict[str, object]
    breaks: frozenset[str] | None

    def prepare(self, staged: Staged, rule: Rule) -> None:
        """Makes the case's utility within the transaction; a rule on marts has their stand-ins in it."""
        for made in good_marts(theme_of(self.rule_id)):
            staged.connection.execute(made)
        for name, value in self.limits.items():
            _one_at_least(
                staged.connection,
                "update staging.quality_parameters set value = %s where rule_id = %s and name = %s",
                (value, self.rule_id, name),
            )
        if self.only is not None:
            _empty(staged.connection, rule, set(self.only))
            for relation, rows in self.only.items():
                _fill(staged.connection, relation, rows)
        if self.open_findings:
            _open(staged.connection, self.open_findings)
        staged.restart([statement(step) for step in self.given], lazily=True)

    def ask(self, staged: Staged, rule: Rule) -> dict[str, object]:
        """What a rule says of that which is typed in."""
        tested, found = answer(staged, rule)
        said: dict[str, object] = {}
        if "finds" in self.says:
            severities = [row["severity"] for row in found]
            said["finds"] = max(severities, key=SEVERITIES.index, default=NOTHING)
        if "tested" in self.says:
            said["tested"] = tested
        if "violations" in self.says:
            columns, _ = self.says["violations"]
            rows = Counter(tuple(row.get(column) for column in columns) for row in found)
            said["violations"] = (columns, tuple(sorted(rows.items(), key=str)))
        return said


def load_cases(folder: Path = EXPECTATIONS) -> list[Case]:
    """All cases in order of their rules. Raises ValueError, which names file and case, for one that cannot be used."""
    return [case for path in sorted(folder.glob("*/*.cases.yaml")) for case in _of_file(path)]


@cache
def cases_of_the_book() -> dict[str, list[Case]]:
    """Rule id -> its cases."""
    found: dict[str, list[Case]] = {}
    for case in load_cases():
        found.setdefault(case.rule_id, []).append(case)
    return found


def answer(staged: Staged, rule: Rule) -> tuple[int, list[dict[str, str | None]]]:
    """How many records a rule tests and its findings as text, each with its severity and the parts of its key."""
    staged.stage(rule)
    query = f"""with tested as materialized ({rule.tested_sql}\n), found as materialized ({rule.violations_sql}\n)
        select
            (select count(*) from tested),
            (
                select jsonb_agg((
                    select jsonb_object_agg(key, value)
                    from jsonb_each_text(to_jsonb(found) || coalesce(to_jsonb(found) -> 'record_key', '{{}}'))
                )) from found
            )"""
    with psycopg.ClientCursor(staged.connection) as cursor:
        cursor.execute(bind(query), {"run_id": staged.run_id, "business_date": staged.business_date})
        tested, found = cursor.fetchone()
    return tested, [{"severity": rule.severity} | row for row in found or []]


def record(name: str) -> str:
    """The query of a named record, in parentheses."""
    return f"({_records()[name]})"


def statement(step: dict) -> str:
    """The SQL of one step of `given`, for `Staged.restart`."""
    (kind,) = step.keys() & STEPS.keys()
    what = step[kind]
    if kind == "sql":
        return _named(what)
    table = "{{" + what + "}}" if what in all_tables() else what
    where = _named(str(step.get("where", "true")))
    if kind == "remove":
        return f"delete from {table} where {where}"
    values = {column: _value(value) for column, value in step.get("set", {}).items()}
    if kind == "change":
        changes = ", ".join(f"{column} = {value}" for column, value in values.items())
        if "numbered" not in step:
            return f"update {table} set {changes} where {where}"
        return (
            f"update {table} as rows set {changes} from (select _raw_id, row_number() over (order by _raw_id) as n"
            f" from {table} where {_named(step['numbered'])}) as numbered"
            f" where rows._raw_id = numbered._raw_id and {where}"
        )
    identity = md5(repr(step).encode()).hexdigest()
    values = {"_key": f"md5('{identity} ' || _raw_id)::uuid", "_hash": f"md5('{identity}')::uuid"} | values
    if step.get("is_copy"):
        values["_key"] = "_key"
    source = "{{" + step["from"] + "}}" if "from" in step else table
    columns = [*_OF_LANDING, *step["set"].keys() - {*_OF_LANDING}] if "from" in step else _columns_of(what)
    chosen = ", ".join(values.get(column, column) for column in columns)
    return f"insert into {table} ({', '.join(columns)}) select {chosen} from {source} where {_named(step['like'])}"


def _of_file(path: Path) -> list[Case]:
    rule_id = path.name.split("_")[0]
    rule_file = path.with_name(path.name.removesuffix(".cases.yaml") + ".sql")
    if not rule_file.exists():
        raise ValueError(
            f"{path.name}: no rule {rule_file.name} lies beside it; a file of cases is named after its rule."
        )
    cases = []
    for entry in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
        where = f"{path.name}: {entry.get('case')}"
        if unknown := sorted(entry.keys() - KEYS):
            raise ValueError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(KEYS))}.")
        for step in entry.get("given", ()):
            kinds = step.keys() & STEPS.keys()
            if len(kinds) != 1 or step.keys() - kinds - STEPS[min(kinds)]:
                raise ValueError(f"{where}: a step is one of {', '.join(STEPS)} with its own keys; this is {step}.")
        says = {key: entry[key] for key in ("finds", "tested", "violations") if key in entry}
        if not says and "breaks" not in entry:
            raise ValueError(f"{where}: it says nothing; type finds, tested, violations or breaks.")
        if says.get("finds") not in (None, NOTHING, *SEVERITIES):
            raise ValueError(f"{where}: finds is {says['finds']!r}; it is {NOTHING} or one of {', '.join(SEVERITIES)}.")
        if "violations" in says:
            says["violations"] = _violations(says["violations"])
            if not entry.get("why"):
                raise ValueError(f"{where}: it lacks `why`, the requirement that its findings come from.")
        cases.append(
            Case(
                rule_id,
                entry["case"],
                entry.get("why", ""),
                entry.get("limits", {}),
                tuple(entry.get("given", ())),
                entry.get("only"),
                entry.get("open_findings", ""),
                says,
                frozenset(entry["breaks"]) if "breaks" in entry else None,
            )
        )
    if twice := [name for name, count in Counter(case.name for case in cases).items() if count > 1]:
        raise ValueError(f"{path.name}: two cases are named {twice[0]!r}.")
    return cases


def _table(text: str) -> tuple[list[str], list[list[str]]]:
    """A table as text: its columns and its rows of cells."""
    lines = [[cell.strip() for cell in _CELLS.split(line)] for line in text.strip("\n").splitlines() if line.strip()]
    columns, *rows = lines
    if wrong := [row for row in rows if len(row) != len(columns)]:
        raise ValueError(f"a row has {len(wrong[0])} cells under {len(columns)} columns: {' | '.join(wrong[0])}")
    return columns, rows


def _violations(text: str) -> tuple[tuple[str, ...], tuple]:
    if text == "none":
        return (), ()
    columns, rows = _table(text)
    counted = Counter(tuple({"": None, "''": ""}.get(cell, cell) for cell in row) for row in rows)
    return tuple(columns), tuple(sorted(counted.items(), key=str))


def _named(text: str) -> str:
    for name, record in sorted(_records().items(), key=lambda item: -len(item[0])):
        text = text.replace(f"${name}", f"({record})")
    return text


@cache
def _records() -> dict[str, str]:
    return yaml.load(RECORDS.read_text(encoding="utf-8"), yaml.CSafeLoader)


def _value(value: object) -> str:
    """A value as SQL."""
    if value is None or value == "":
        return "null"
    text = str(value)
    if _SLOTS.fullmatch(text):
        runs = (run.split(" x ") for run in text.split(", "))
        return " || ".join(f"array_fill({slot}::float8, array[{count}])" for count, slot in runs)
    if text.startswith("="):
        return _named(text[1:])
    return "'{}'".format((text if text != "''" else "").replace("'", "''"))


@cache
def _columns_of(table: str) -> list[str]:
    return [*_OF_LANDING, *(name for name, _ in raw_columns(all_tables()[table]))]


def _qualified(relation: str) -> sql.Identifier:
    return sql.Identifier(*(relation if "." in relation else f"staging.{relation}").split("."))


@cache
def _seeds() -> frozenset[str]:
    return frozenset(path.stem for path in SEEDS.rglob("*.csv"))


def _empty(connection: psycopg.Connection, rule: Rule, given: set[str]) -> None:
    """Takes away every staged row that the rule could read; the seeds that are not given stay as they are."""
    staged = {name for name in rule.reads if not name.startswith("quality.")} - _seeds()
    for relation in staged | given:
        connection.execute(sql.SQL("truncate {}").format(_qualified(relation)))
    connection.execute("truncate raw_metering.met_interval_96")  # of whose curves quality.touched_curves tells
    connection.execute("update quality.current_run set last_passed_load_id = %s", (_PASSED_LOAD,))


def _fill(connection: psycopg.Connection, relation: str, rows: str | dict) -> None:
    """Rows of a relation: row numbers from 1 on, and of tonight, where nothing else is given."""
    if isinstance(rows, str) and rows.startswith("="):
        _copy_newest(connection, relation, rows.removeprefix("=").strip())
        return
    each, text = (rows.get("each", {}), rows["rows"]) if isinstance(rows, dict) else ({}, rows)
    columns, cells = _table(text)
    table = _qualified(relation)
    has = {c.name for c in connection.execute(sql.SQL("select * from {} limit 0").format(table)).description}
    if unknown := ({*columns} | {*each}) - has:
        raise ValueError(f"{relation} has no column {', '.join(sorted(unknown))}; it has {', '.join(sorted(has))}.")
    for number, row in enumerate(cells, start=1):
        values = {"_raw_id": number, "_load_id": _TONIGHT} | each | dict(zip(columns, row, strict=True))
        values = {column: value for column, value in values.items() if column in has}
        made = f"({', '.join(values)}) values ({', '.join(map(_value, values.values()))})"
        connection.execute(sql.SQL("insert into {} ").format(table) + sql.SQL(made))
        if relation == "stg_metering__curves" and int(values["_load_id"]) > _PASSED_LOAD:
            connection.execute(
                "insert into quality.quarantined_rows (source_name, table_name, raw_id, state, rule_ids, record_key, from_run)"
                " values ('metering', 'met_interval_96', %s, 'quarantined', '{}', '{}', 1) on conflict do nothing",
                (values["_raw_id"],),
            )


def _copy_newest(connection: psycopg.Connection, relation: str, source: str) -> None:
    """The newest version of each curve, with the number of slots that it has."""
    assert (relation, source) == ("int_curves_latest", "stg_metering__curves"), "only curves have versions in cases"
    columns = "metering_point_no, reading_date, quantity_code, phase_code, version, is_primary, values_by_slot, _raw_id, _load_id"
    connection.execute(
        f"insert into staging.int_curves_latest ({columns}, collected_slots)"
        f" select distinct on (metering_point_no, reading_date, quantity_code, phase_code) {columns},"
        " quality.slot_count(values_by_slot) from staging.stg_metering__curves"
        " order by metering_point_no, reading_date, quantity_code, phase_code, version desc nulls last, _raw_id desc"
    )


def _open(connection: psycopg.Connection, findings: str) -> None:
    for number, (rule_id, table, raw_id) in enumerate(_table(findings)[1], start=1_000_000):
        connection.execute(
            "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name,"
            " table_name, record_key, raw_id) select %s, run_id, 'opened', '2026-11-04', %s, 'mismatch', 'warn', %s, %s, '{}', %s"
            " from quality.current_run",
            (number, rule_id, all_tables()[table].source, table, raw_id),
        )


def _one_at_least(connection: psycopg.Connection, query: str, values: tuple) -> None:
    assert connection.execute(query, values).rowcount > 0, (query, values)
