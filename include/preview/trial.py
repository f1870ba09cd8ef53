"""The gates beside the warehouse: rules are judged in one transaction that is rolled back, over what a preview has built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import psycopg

from include.quality import findings, gate
from include.quality.evaluate import FOUND, evaluate
from include.quality.rules import Rule
from include.records import expected, runs
from include.records.rule_book import note_passed
from include.records.runs import Run
from include.transform.beside import Beside, empty
from include.transform.schemas import BESIDE

_OPEN = "select rule_id, count(*) from quality.findings where state = 'open' group by rule_id"
_WITHHELD = (
    "select table_name, raw_id, ''::text from quality.withheld"
    " union all select table_name, raw_id, column_name from quality.withheld_now"
)
OF_THE_RUN = ("current_run", "touched_curves")  # views and rows that a preview has for itself


@dataclass
class Trial:
    """Open findings by rule and withheld rows and values before and after; `blocking` rules with their violations."""

    connection: psycopg.Connection
    run: Run
    before: dict[str, int]
    withheld_before: set[tuple]
    records_before: dict[str, tuple]
    blocking: dict[str, int] = field(default_factory=dict)
    tested: dict[str, int] = field(default_factory=dict)

    @property
    def after(self) -> dict[str, int]:
        return dict(self.connection.execute(_OPEN).fetchall())

    @property
    def withheld(self) -> set[tuple]:
        return set(self.connection.execute(_WITHHELD).fetchall())

    def judge(self, number: int, rules: list[Rule], say) -> None:
        """The rules of a gate, and what follows from their violations: findings, and of gate 1 the quarantine."""
        _forget_temporary(self.connection)
        if number == 1:  # not before: what this transaction has read beside could not be built any more
            gate.count_staged_rows(self.connection, self.run.run_id)
        rules = sorted(rules, key=lambda rule: (rule.id == gate.LIMIT_RULE, FOUND in rule.reads))
        for rule in rules:
            result = evaluate(self.connection, rule, self.run.run_id, self.run.business_date)
            self.tested[rule.id] = result.tested_rows
            say(result)
        findings.judge(self.connection, self.run.run_id, number)
        self.blocking |= dict(
            self.connection.execute(
                "select rule_id, count(*) from judged where severity = 'block' and waiver_id is null"
                " and rule_id = any(%s) group by rule_id order by rule_id",
                ([rule.id for rule in rules],),
            ).fetchall()
        )
        findings.record_findings(self.connection, self.run.run_id, number)
        if number == 1:
            expected.note(self.connection, self.run.run_id)
            findings.quarantine(self.connection, self.run.run_id)
            runs.set_phase(self.connection, "admit")
        note_passed(self.connection, self.run.run_id, gate.passed_for(self.connection, self.run, number))


@contextmanager
def trial(beside: Beside, rules: list[Rule], day: date, records: list[str], *, is_next: bool) -> Iterator[Trial]:
    """A transaction as of the last run, or `is_next` as of the night after it; rolled back whatever happens."""
    with beside.connect() as connection, connection.transaction(force_rollback=True):
        before = dict(connection.execute(_OPEN).fetchall())
        withheld = set(connection.execute(_WITHHELD).fetchall())
        noted = digests(connection, records) if is_next else {}  # before the trial writes the first of them
        (run_id,) = connection.execute("select run_id from quality.current_run").fetchone()
        if is_next:
            run_id = runs.begin_trial(connection, run_id, is_next=True)
        findings.note_rule_book(connection, rules, day)
        yield Trial(connection, Run(run_id, day, ""), before, withheld, noted)


def digests(connection: psycopg.Connection, names: list[str]) -> dict[str, tuple]:
    """Number and hashes of the rows of each of these relations of `quality`."""
    found = {}
    for name in names:
        if name not in OF_THE_RUN:
            found[name] = connection.execute(
                "select count(*), sum(hash_record_extended(told, 0)), sum(hash_record_extended(told, 1))"
                f" from quality.{name} as told"
            ).fetchone()
    return found


def show_records(beside: Beside, connection: psycopg.Connection, before: dict[str, tuple]) -> set[str]:
    """Copies what the trial changed of these relations of `quality` to where models read it; returns their names."""
    changed = {name for name, digest in digests(connection, list(before)).items() if digest != before[name]}
    with beside.own.connect() as own:
        for name in sorted(changed):
            empty(own, f"quality.{name}")
            own.execute(f"create table {BESIDE}quality.{name} (like quality.{name})")
            with (
                connection.cursor().copy(
                    f"copy (select * from {_query(connection, name)} as told) to stdout (format binary)"
                ) as out,
                own.cursor().copy(f"copy {BESIDE}quality.{name} from stdin (format binary)") as into,
            ):
                for data in out:
                    into.write(data)
        run = connection.execute("select run_id, phase, last_passed_load_id from quality.current_run").fetchone()
        own.execute(f"update {BESIDE}quality.current_run set run_id = %s, phase = %s, last_passed_load_id = %s", run)
    return changed


def _query(connection: psycopg.Connection, name: str) -> str:
    """A table by its name, a view by its query: a function that it calls may have a counterpart beside."""
    (text,) = connection.execute(
        f"select case when relkind = 'v' then pg_get_viewdef(oid) end from pg_class where oid = 'quality.{name}'::regclass"
    ).fetchone()
    return f"({text.rstrip().rstrip(';')})" if text else f"quality.{name}"


def set_phase(beside: Beside, phase: str) -> None:
    """What staging beside shows: `gate` everything that was delivered, `admit` what gate 1 let through."""
    with beside.own.connect() as own:
        own.execute(f"update {BESIDE}quality.current_run set phase = %s", (phase,))


def _forget_temporary(connection: psycopg.Connection) -> None:
    """A gate makes its temporary tables up to the end of its transaction; here both gates are in one."""
    names = connection.execute(
        "select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'"
    ).fetchall()
    for (name,) in names:
        connection.execute(f"drop table pg_temp.{name}")
