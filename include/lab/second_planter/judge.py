"""How well the findings of a warehouse name what the second hand planted: record, column, explanation, and nothing
beside.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from include.contracts import STAGED_NAMES
from include.lab.score import Figure, spelled
from include.lab.second_planter.kinds import Planted
from include.records.database import connect

HAND = "second"
LOUD = ("block", "quarantine", "warn")
_SLOT = re.compile(r"v([1-9]\d?)")


@dataclass(frozen=True)
class Finding:
    """What a verdict needs of a finding; `words` are those of its column and of what it observed and expected."""

    rule_id: str
    axis: str
    severity: str
    table: str
    key: frozenset
    column: str
    words: frozenset

    @classmethod
    def of(cls, rule_id, axis, severity, table, record_key, column, *texts) -> Finding:
        words = re.findall(r"\w+", " ".join(str(t) for t in (column, *texts) if t))
        return cls(rule_id, axis, severity, table, key_of(record_key), column or "", frozenset(words))


@dataclass(frozen=True)
class Verdict:
    """Of one planted record: the rules that found it, whether one explains it rightly, and the neighbours wrongly
    named.
    """

    planted: Planted
    rules: tuple[str, ...]
    is_right: bool
    beside: tuple[str, ...]

    @property
    def is_found(self) -> bool:
        return bool(self.rules)


@dataclass(frozen=True)
class Alarm:
    """A finding on a utility that holds nothing wrong; `kind` is the unusual data it names, None where it names none."""

    kind: str | None
    rule_id: str
    severity: str
    table: str
    record_key: str


def key_of(record_key: dict) -> frozenset:
    """A key in one spelling: (column, text) pairs, instants in UTC seconds."""
    return frozenset((name, str(spelled(value))) for name, value in record_key.items())


def judge(findings: Iterable[Finding], planted: Iterable[Planted]) -> list[Verdict]:
    """A verdict for each planted record.

    A finding finds a record where its key is the record's own and it names one of the class's columns, in its column
    or its words: what another defect of the account throws upon the record is no find. It explains it where its axis
    is one that the class expects, too. By another key (a day of its point, its account, the record of the other
    system) it finds it only where it explains it.
    """
    findings = list(findings)
    exact: dict[tuple, list[Finding]] = defaultdict(list)
    by_value: dict[str, set[int]] = defaultdict(set)
    for number, finding in enumerate(findings):
        exact[finding.table, finding.key].append(finding)
        for _, value in finding.key:
            by_value[value].add(number)
    verdicts = []
    for record in planted:
        own = exact[record.table, key_of(record.record_key)]
        others = {id(f): f for key in record.other_keys for f in _by_values(findings, by_value, key)}
        others |= {id(f): f for f in _coarser(findings, by_value, record)}
        right = [f for f in [*own, *others.values()] if explains(f, record)]
        named = {f.rule_id for f in [*(f for f in own if names(f, record)), *right]}
        columns = set(record.kind.columns)
        beside = {
            f"{f.rule_id} {f.column}"
            for key in record.spared
            for f in exact[record.table, key_of(key)]
            if f.column in columns
        }
        verdicts.append(Verdict(record, tuple(sorted(named)), bool(right), tuple(sorted(beside))))
    return verdicts


def alarms(findings: Iterable[Finding], unusual: Iterable[Planted]) -> list[Alarm]:
    """Every finding that blocks, quarantines or warns, by the kind of unusual data whose record, or a part of whose
    key, it names.
    """
    findings, unusual = [f for f in findings if f.severity in LOUD], list(unusual)
    by_value: dict[str, set[int]] = defaultdict(set)
    for number, finding in enumerate(findings):
        for _, value in finding.key:
            by_value[value].add(number)
    kinds: dict[int, str] = {}
    for record in unusual:
        for key in (record.record_key, *record.other_keys):
            for finding in _by_values(findings, by_value, key):
                kinds.setdefault(id(finding), record.code)
        for finding in _coarser(findings, by_value, record):
            kinds.setdefault(id(finding), record.code)
    return [Alarm(kinds.get(id(f)), f.rule_id, f.severity, f.table, str(sorted(f.key))) for f in findings]


def _by_values(findings: list[Finding], by_value: dict[str, set[int]], key: dict) -> list[Finding]:
    """Findings whose key holds every value of a key, whatever the names of its parts."""
    sets = [by_value.get(str(spelled(value)), set()) for value in key.values() if value is not None]
    return [findings[n] for n in set.intersection(*sets)] if sets else []


def _coarser(findings: list[Finding], by_value: dict[str, set[int]], record: Planted) -> list[Finding]:
    """Findings of the record's table whose key is a part of the record's."""
    own = key_of(record.record_key)
    numbers = {n for _, value in own for n in by_value.get(value, ())}
    return [findings[n] for n in numbers if findings[n].table == record.table and findings[n].key < own]


def names(finding: Finding, record: Planted) -> bool:
    """Whether a finding names a column of the class, of the record or of the other side; any slot of a curve will do."""
    kind = record.kind
    columns = {*kind.columns, *(other.split(".")[1] for other in kind.others)}
    if "v1" in columns and any(_SLOT.fullmatch(word) for word in finding.words):
        return True
    return not kind.columns or bool(finding.words & {name for c in columns for name in (c, STAGED_NAMES.get(c, c))})


def explains(finding: Finding, record: Planted) -> bool:
    """Whether a finding names a column of the class and says the right thing of it: absent, contradicted, made up or
    late.
    """
    return finding.axis in record.kind.explained and names(finding, record)


def figures(verdicts: list[Verdict]) -> list[Figure]:
    """A figure a class, named as the second hand's; a stray is a neighbour that a finding names wrongly."""
    by_class: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_class[verdict.planted.code].append(verdict)
    return [
        Figure(
            code,
            records=len(of_class),
            planted=len(of_class),
            found=sum(v.is_found for v in of_class),
            stray=sum(len(v.beside) for v in of_class),
            right=sum(v.is_right for v in of_class),
            hand=HAND,
        )
        for code, of_class in sorted(by_class.items())
    ]


def findings_of(url: str) -> list[Finding]:
    """The findings of a warehouse that are not fixed."""
    with connect(url) as connection:
        rows = connection.execute(
            "select rule_id, axis, severity, table_name, record_key, column_name, observed, expected"
            " from quality.findings where state <> 'fixed'"
        ).fetchall()
    return [Finding.of(*row) for row in rows]
