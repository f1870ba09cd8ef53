"""The staged utility as a test sees it: change a delivered row, stage again, ask which rules break."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from pathlib import Path

import psycopg

from include.contracts import all_tables
from include.quality.base_rules import load_base_rules
from include.quality.evaluate import bind, evaluate
from include.quality.rules import SEVERITIES, Rule, load_rules
from include.transform.models import staging_relation

LIMIT_RULE = "PIP-03"  # reads what the other rules found

# Sums of floating numbers depend on the order of adding in their last digits, which are left out.
_TESTED_WORDS = r"""
    select regexp_replace((to_jsonb(tested) - 'raw_id')::text, '([.][0-9]{9})[0-9]+', '\1', 'g') collate "C" as words
    from tested
    union all"""


class Staged:
    """One transaction on the staged utility, which the fixture rolls back."""

    def __init__(self, connection: psycopg.Connection, business_date: date, models: Path) -> None:
        self.connection = connection
        self.business_date = business_date
        self.run_id = connection.execute("select run_id from quality.current_run").fetchone()[0]
        self._models = _models_of(models)
        self._touched: set[str] = set()
        self._stale: set[str] = set()

    def plant(self, statement: str) -> None:
        """Changes raw rows, records or seeds; `{{table}}` in the statement is the raw relation of a contract table.

        At least one row must change: a fault that was not planted proves nothing.
        """
        names = set(re.findall(r"\{\{(\w+)\}\}", statement))
        changed = re.search(r"(?:update|into|from)\s+(?:\{\{|quality\.)(\w+)", statement)
        for name in names:
            statement = statement.replace("{{" + name + "}}", all_tables()[name].raw_name)
        assert self.connection.execute(statement).rowcount != 0, statement
        self._touched |= {changed[1]} if changed else set()
        self._stale |= self._reached()

    def restart(self, statements: list[str], *, lazily: bool = False) -> None:
        """Plants and stages one world; what was planted before has been rolled back. Lazily: what a rule reads, once it is asked."""
        self._touched, self._stale = set(), set()
        for statement in statements:
            self.plant(statement)
        if not lazily:
            self.stage()

    def stage(self, rule: Rule | None = None) -> None:
        """Stages what was planted and everything that hangs on it; for one rule, what it reads of that."""
        behind = self._behind(rule) if rule else self._stale
        for name in [name for name in self._models if name in self._stale & behind]:
            self.connection.execute(f"delete from staging.{name}")
            self.connection.execute(f"insert into staging.{name} {self._models[name]['sql']}".encode())
            self._stale.discard(name)

    def _reached(self) -> set[str]:
        """Models of the touched tables and all that hang on them."""
        reached = {staging_relation(name).removeprefix("staging.") for name in self._touched & set(all_tables())}
        for name, model in self._models.items():
            if any(need.split(".")[-1] in reached for need in model["needs"]):
                reached.add(name)
        return reached

    def _behind(self, rule: Rule) -> set[str]:
        """Models that a rule reads, and those behind them."""
        behind = set(rule.reads)
        for name in reversed(self._models):
            if name in behind:
                behind |= {need.split(".")[-1] for need in self._models[name]["needs"]}
        return behind

    def broken_rules(self) -> set[str]:
        """Ids of the rules of gate 1 with a violation, among those that read what was touched (all, if nothing was)."""
        self.stage()
        anew = self._reached()
        rules = [r for r in [*load_base_rules(), *load_rules()] if r.gate == 1 and r.id != LIMIT_RULE]
        raw = {all_tables()[name].raw_name for name in self._touched & set(all_tables())}
        changed = anew | raw | {f"quality.{name}" for name in self._touched}
        return {rule.id for rule in rules if (not changed or changed & {*rule.reads}) and self._is_broken(rule)}

    def sources(self) -> dict[str, set[str]]:
        """Staged model -> contract tables behind it, as dbt knows them."""
        found: dict[str, set[str]] = {}
        for name, model in self._models.items():
            needs = [need.split(".") for need in model["needs"]]
            found[name] = {need[-1] for need in needs if need[0] == "source"}.union(
                *(found.get(need[-1], set()) for need in needs if need[0] == "model")
            )
        return found

    def _is_broken(self, rule: Rule) -> bool:
        """Whether a rule has a violation, in one query: the engine's records are not wanted a hundred times over."""
        query = f"with tested as materialized ({rule.tested_sql}) select exists (select 1 from ({rule.violations_sql}) as found)"
        given = {"run_id": self.run_id, "business_date": self.business_date}
        return self.connection.execute(bind(query), given, prepare=True).fetchone()[0]

    def verdict(self, rule: Rule) -> str | None:
        """The worst severity that a rule finds; None where it finds nothing."""
        self.stage(rule)
        severity = "found.severity" if " as severity" in rule.violations_sql else f"'{rule.severity}'"
        query = f"with tested as materialized ({rule.tested_sql}\n) select distinct {severity} from ({rule.violations_sql}\n) as found"
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(bind(query), {"run_id": self.run_id, "business_date": self.business_date})
            return max((row[0] for row in cursor.fetchall()), key=SEVERITIES.index, default=None)

    def columns(self, rule: Rule) -> set[str]:
        """The columns that a rule finds broken in some row."""
        self.stage(rule)
        query = f"with tested as materialized ({rule.tested_sql}\n) select distinct found.column_name from ({rule.violations_sql}\n) as found"
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(bind(query), {"run_id": self.run_id, "business_date": self.business_date})
            return {row[0] for row in cursor.fetchall()}

    def told(self, rule: Rule) -> set[tuple[str, str, str, int]]:
        """Columns that a rule on contract tables finds broken, with what it expects of them, how severe that is and how often."""
        self.stage(rule)
        severity = "found.severity" if " as severity" in rule.violations_sql else f"'{rule.severity}'"
        query = (
            f"with tested as materialized ({rule.tested_sql}\n) select found.column_name, found.expected, {severity}, count(*)"
            f" from ({rule.violations_sql}\n) as found group by 1, 2, 3"
        )
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(bind(query), {"run_id": self.run_id, "business_date": self.business_date})
            return set(cursor.fetchall())

    def answer(self, rule: Rule) -> tuple[int, int, str]:
        """How much a rule tests, how much it finds, and a digest of its findings: severity, side, columns and words."""
        return self._digest(rule, "")

    def whole_answer(self, rule: Rule) -> tuple[int, int, str]:
        """The answer with every tested row in the digest too: who is in the population, and what is compared of them."""
        return self._digest(rule, _TESTED_WORDS)

    def words(self, rule: Rule, is_whole: bool = False) -> list[str]:
        """What the digest of an answer, or of a whole answer, is made of: the findings, and the tested rows too."""
        self.stage(rule)
        query = self._answered(rule, _TESTED_WORDS if is_whole else "") + " select words from told order by words"
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(bind(query), {"run_id": self.run_id, "business_date": self.business_date})
            return [row[0] for row in cursor.fetchall()]

    def _digest(self, rule: Rule, tested_words: str) -> tuple[int, int, str]:
        self.stage(rule)
        query = f"""{self._answered(rule, tested_words)}
            select
                (select count(*) from tested), (select count(*) from found),
                left(md5('{rule.severity}' || string_agg(words, chr(10) order by words)), 8)
            from told"""
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(bind(query), {"run_id": self.run_id, "business_date": self.business_date})
            tested, found, digest = cursor.fetchone()
            return tested, found, digest or "-"

    def _answered(self, rule: Rule, tested_words: str) -> str:
        return f"""with tested as materialized ({rule.tested_sql}\n), found as materialized ({rule.violations_sql}\n),
            told as (
                {tested_words} select (to_jsonb(found) - 'raw_id')::text collate "C" as words from found
            )"""

    def violations(self, rule: Rule) -> list[dict]:
        """The violations of one rule, as the engine records them: it reads more than the rule does."""
        self.stage()
        evaluate(self.connection, rule, self.run_id, self.business_date)
        cursor = self.connection.execute(
            "select * from quality.violations where run_id = %s and rule_id = %s order by record_key::text, column_name",
            (self.run_id, rule.id),
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@cache
def _models_of(path: Path) -> dict[str, dict]:
    """Compiled models by name, each after the models it needs."""
    by_name = {model["name"]: model for model in json.loads(path.read_text())}
    ordered: dict[str, dict] = {}

    def add(name: str) -> None:
        if name in by_name and name not in ordered:
            for need in by_name[name]["needs"]:
                if need.startswith("model."):
                    add(need.split(".")[-1])
            ordered[name] = by_name[name]

    for name in by_name:
        add(name)
    return ordered
