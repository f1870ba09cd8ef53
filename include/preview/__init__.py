"""`./kaw preview`: what the next night would show because a seed, a model, a rule or a threshold is another than last night's.

Built beside the published state, in schemas of its own, and dropped afterwards, also after a kill: by the next preview or the
next night. No published table and no record is written: the gates are judged in a transaction that is rolled back.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from include.errors import UsageError
from include.preview.changes import (
    THRESHOLDS,
    Changes,
    changes_of,
    following,
    put_beside,
    read_by,
    rule_book,
    rules_touched,
    tagged,
)
from include.preview.compare import MartChange, compare
from include.preview.estimate import Estimate
from include.preview.trial import Trial, set_phase, show_records, trial
from include.publish.marts import read_marts
from include.quality.rules import Rule
from include.records import runs
from include.records.warehouse import Warehouse
from include.settings import settings
from include.transform import beside as schemas
from include.transform.clusters import labels, write_labels
from include.transform.dbt import parsed_beside, run_beside
from include.transform.models import staging_relation
from include.transform.schemas import BESIDE, BUILT, STATE

Step = Callable[[str], AbstractContextManager]
CLUSTERS = "load_cluster_labels"
CLUSTERED = {"int_load_profiles", "load_cluster_parameters"}


@dataclass
class Preview:
    """What changes: marts by rows and columns, open findings by rule before and after, rows and values withheld.

    `rules_tested` are rows that the changed and new rules test; `blocking` are rules that would stop the publish.
    """

    business_date: date
    changes: Changes
    marts: list[MartChange] = field(default_factory=list)
    findings: dict[str, tuple[int, int]] = field(default_factory=dict)
    withheld: tuple[int, int] | None = None
    blocking: dict[str, int] = field(default_factory=dict)
    rules_tested: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict:
        told = asdict(self)
        told["changes"]["seeds"] = {name: str(path) for name, path in self.changes.seeds.items()}
        told["findings"] = {rule: {"before": b, "after": a} for rule, (b, a) in self.findings.items()}
        told["withheld"] = self.withheld and {"before": self.withheld[0], "after": self.withheld[1]}
        return told


def preview(
    warehouse: Warehouse,
    *,
    seeds: Iterable[Path] = (),
    as_of: date | None = None,
    step: Step = lambda _: nullcontext(),
    say: Callable[[object], None] = lambda _: None,
    tell: Callable[[Estimate], None] = lambda _: None,
) -> Preview:
    """Raises UsageError where no night is published as of that date, InfrastructureError beside a night or where dbt fails."""
    began = time.monotonic()
    folder = settings().home / "dbt" / "preview"
    with runs.alone(warehouse.address):
        day = _published_day(warehouse, as_of)
        rules = rule_book()
        try:
            with step("read the project"):
                manifest = parsed_beside(warehouse, folder)
                found = Preview(day, changes_of(warehouse, manifest, seeds, rules))
            if not found.changes.are_none:
                _Building(warehouse, manifest, folder, rules, found, step, say).run(tell)
        finally:
            with warehouse.connect() as connection:
                schemas.drop(connection)
            shutil.rmtree(folder, ignore_errors=True)
    found.seconds = round(time.monotonic() - began, 1)
    return found


def _published_day(warehouse: Warehouse, as_of: date | None) -> date:
    last = runs.last(warehouse.address)
    if last is None:
        raise UsageError("No night has run yet.", where="quality.runs", next_step="make one with ./kaw run.")
    if last.state != "published":
        raise UsageError(
            f"The last night, of {last.business_date}, is not published but {last.state}: there is nothing to compare with.",
            where=f"run {last.run_id}",
            next_step="let a night publish first.",
        )
    if as_of and as_of != last.business_date:
        raise UsageError(
            f"The warehouse is as of {last.business_date}, not of {as_of}.",
            where="--as-of",
            next_step=f"give {last.business_date}, or run the night of {as_of} first.",
        )
    return last.business_date


class _Building:
    """The steps of one preview, in the order of a night."""

    def __init__(self, warehouse: Warehouse, manifest, folder: Path, rules: list[Rule], found: Preview, step, say):
        self.warehouse, self.folder, self.rules, self.found, self.step, self.say = (
            warehouse,
            folder,
            rules,
            found,
            step,
            say,
        )
        self.manifest = put_beside(manifest, found.changes.seeds, folder)
        self.read = read_by(manifest)
        self.staging, self.as_delivered = tagged(manifest, "staging"), tagged(manifest, "as_delivered")
        self.after_clusters = tagged(manifest, "after_clusters") | tagged(manifest, "marts")
        self.is_staged = False  # whether staging beside is as admitted already
        self.records = sorted(s.identifier for s in manifest.sources.values() if s.source_name == "quality")

    def run(self, tell) -> None:
        changes = self.found.changes
        possible = following(self.read, [*changes.models, *changes.seeds])
        tell(self._estimate(possible))
        with self.step("make a place beside the marts"):
            self.beside = schemas.make(self.warehouse, self.records)
        if changes.seeds:
            with self.step("load seeds"):
                self._load_seeds()
        thresholds = self._thresholds()
        asked = rules_touched(self.rules, changes, thresholds, possible)
        own = {rule.id for rule in rules_touched(self.rules, changes, thresholds, set())}
        is_gate_1 = any(rule.gate == 1 for rule in asked) or bool(changes.gone) or bool(possible & self.staging)
        with trial(self.beside, self.rules, self.found.business_date, self.records, is_next=is_gate_1) as tried:
            self._ask(changes.models)
            if is_gate_1:
                self._gate_1(tried, possible)
            self._build_admitted()
            changed = self._changed()
            with self.step("judge the marts"):
                gate_2 = [r for r in rules_touched(self.rules, changes, thresholds, changed) if r.gate == 2]
                tried.judge(2, gate_2, self.say)
            self._conclude(tried, own, is_gate_1)
        with self.step("compare"):
            self._compare(changed)

    def _estimate(self, names: set[str]) -> Estimate:
        with self.warehouse.connect() as connection:
            (size,) = connection.execute(
                "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class"
                " where relname = any (%s) and relnamespace::regnamespace::text = any (%s)",
                (list(names), list(BUILT)),
            ).fetchone()
            asked = {rule.gate for rule in rules_touched(self.rules, self.found.changes, set(), names)}
            (rules_s,) = connection.execute(
                "select coalesce(sum(seconds), 0) from quality.rule_results inner join quality.rule_book using (rule_id)"
                " where run_id = (select run_id from quality.current_run) and gate = any (%s)",
                (sorted(asked),),
            ).fetchone()
        return Estimate(len(names), int(size), float(rules_s))

    def _load_seeds(self) -> None:
        names = sorted(self.found.changes.seeds)
        with self.warehouse.connect() as connection:
            for name in names:
                schemas.empty(connection, f"staging.{name}")
        arguments = ["seed", "--full-refresh", "--select", *names]
        run_beside(arguments, self.warehouse, self.manifest, self.folder, self.say)
        with self.warehouse.connect() as connection:
            for name in names:
                connection.execute(
                    f"select {STATE}.note(%s, %s, %s)", (name, f"{BESIDE}staging.{name}", f"staging.{name}")
                )

    def _thresholds(self) -> set[tuple[str, str]]:
        """Rule and name of the thresholds whose rows differ."""
        if THRESHOLDS not in self.found.changes.seeds:
            return set()
        columns = "rule_id, name, value, valid_from, valid_to"
        own, beside = f"staging.{THRESHOLDS}", f"{BESIDE}staging.{THRESHOLDS}"
        with self.warehouse.connect() as connection:
            return set(
                connection.execute(
                    f"select rule_id, name from (select {columns} from {own} except select {columns} from {beside}) as gone"
                    f" union select rule_id, name from (select {columns} from {beside} except select {columns} from {own}) as come"
                ).fetchall()
            )

    def _ask(self, names: Iterable[str]) -> None:
        with self.warehouse.connect() as connection:
            connection.execute(
                f"insert into {STATE}.asked select unnest(%s::text[]) on conflict do nothing", (list(names),)
            )

    def _changed(self) -> set[str]:
        with self.warehouse.connect() as connection:
            return {name for (name,) in connection.execute(f"select model from {STATE}.changed")}

    def _build(self, title: str, names: set[str]) -> None:
        if names:
            with self.step(title):
                arguments = ["run", "--select", *sorted(names)]
                run_beside(arguments, self.warehouse, self.manifest, self.folder, self.say)

    def _following(self) -> set[str]:
        """What may have to be built of the models: those asked for, and what reads these or what has changed."""
        with self.warehouse.connect() as connection:
            asked = {name for (name,) in connection.execute(f"select model from {STATE}.asked")}
        return following(self.read, asked | self._changed()) & self.read.keys()

    def _gate_1(self, tried: Trial, possible: set[str]) -> None:
        """Staging as delivered, the gate, and what of staging is another afterwards."""
        staged = {_model_of(table) for table, *_ in tried.withheld_before}
        set_phase(self.beside, "gate")
        self._ask(staged)
        self._build("build staging as delivered", self._following() & self.staging)
        with self.step("judge what is staged"):
            tried.judge(1, [rule for rule in self.rules if rule.gate == 1], self.say)
        with self.step("copy what the gate says"):
            records = show_records(self.beside, tried.connection, tried.records_before)
        differs = {_model_of(table) for table, *_ in tried.withheld_before ^ tried.withheld}
        with self.warehouse.connect() as connection:
            if staged or differs:  # as delivered is not as admitted
                kept = self.as_delivered | self.found.changes.seeds.keys()
                schemas.set_delivered_aside(connection, kept)
                connection.execute(f"delete from {STATE}.changed where model <> all (%s)", (list(kept),))
                connection.execute(f"delete from {STATE}.asked where model = any (%s)", (list(staged),))
            connection.execute(
                f"insert into {STATE}.changed select unnest(%s::text[]) on conflict do nothing", (list(records),)
            )
        self._ask(differs)
        self.is_staged = not (staged or differs)

    def _build_admitted(self) -> None:
        set_phase(self.beside, "admit")
        names = self._following() - (self.staging if self.is_staged else self.as_delivered)
        self._build("build what follows", names - self.after_clusters)
        if self._changed() & CLUSTERED or CLUSTERS in self.found.changes.models:
            with self.step("cluster loads"):
                self._cluster()
        self._build("build marts", (self._following() - self.as_delivered) & self.after_clusters)

    def _cluster(self) -> None:
        with self.beside.connect() as connection:
            rows = labels(connection)
        with self.warehouse.connect() as connection:
            schemas.empty(connection, f"warehouse.{CLUSTERS}")
            connection.execute(f"create table {BESIDE}warehouse.{CLUSTERS} (like warehouse.{CLUSTERS})")
            write_labels(connection, f"{BESIDE}warehouse.{CLUSTERS}", rows)
            connection.execute(
                f"select {STATE}.note(%s, %s, %s)", (CLUSTERS, f"{BESIDE}warehouse.{CLUSTERS}", f"warehouse.{CLUSTERS}")
            )

    def _conclude(self, tried: Trial, own: set[str], is_gate_1: bool) -> None:
        after = tried.after
        self.found.findings = {
            rule: (tried.before.get(rule, 0), after.get(rule, 0))
            for rule in sorted(tried.before.keys() | after.keys())
            if tried.before.get(rule, 0) != after.get(rule, 0)
        }
        self.found.rules_tested = {rule: rows for rule, rows in sorted(tried.tested.items()) if rule in own}
        self.found.blocking = dict(sorted(tried.blocking.items()))
        if is_gate_1:
            self.found.withheld = (len(tried.withheld_before), len(tried.withheld))

    def _compare(self, changed: set[str]) -> None:
        with self.warehouse.connect() as connection:
            for mart in read_marts(self.folder / "manifest.json"):
                if mart.relation[1] in changed and (told := compare(connection, mart, self.found.business_date)):
                    self.found.marts.append(told)


def _model_of(table: str) -> str:
    """The model that stages a contract table."""
    return staging_relation(table).rpartition(".")[2]
