"""How well the gate found the planted defects: recall, precision and reason per class, by (rule, record key)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from include.quality.base_rules import load_base_rules
from include.quality.rules import load_rules
from include.records.database import connect

STOPPING = ("block", "quarantine")


@dataclass(frozen=True)
class Figure:
    """Counts of one class: records spoilt, pairs (rule, record key) planted and found, findings of the class's rules that
    nobody planted (`stray`), and found pairs whose finding names the planted column (`right`). `hand` says who wrote the
    class; the second hand knows no rules, its pairs are records."""

    name: str
    records: int
    planted: int
    found: int
    stray: int
    right: int
    hand: str = "first"

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else 0.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.stray) if self.found + self.stray else 0.0

    @property
    def reason(self) -> float:
        return self.right / self.found if self.found else 0.0


@dataclass(frozen=True)
class Score:
    """A figure for each class, the pairs (class, rule, record key) that no finding names or that name another column, and
    the findings (rule, record key, severity) that nobody planted."""

    figures: list[Figure]
    missed: list[tuple[str, str, str]]
    misnamed: list[tuple[str, str, str]]
    stray: list[tuple[str, str, str]]

    @property
    def stopping(self) -> list[tuple[str, str, str]]:
        """Findings that nobody planted and that keep a row back or stop a night."""
        return [finding for finding in self.stray if finding[2] in STOPPING]


def score(url: str, truth: list) -> Score:
    """Compares the open findings with the planted records. Rules of the truth that the rule book lacks are not asked for;
    findings that a waiver lets through are not counted against a class."""
    known = {r.id for r in [*load_base_rules(), *load_rules()]}
    planted: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for defect in truth:
        for rule_id in defect.rule_ids:
            if rule_id in known:
                planted[defect.defect_class][rule_id, _key(defect.record_key)] = defect.column_name
    with connect(url) as connection:
        rows = connection.execute(
            "select rule_id, record_key, severity, state, column_name, observed from quality.findings where state <> 'fixed'"
        ).fetchall()
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule_id, record_key, _, _, column_name, observed in rows:
        named[rule_id, _key(record_key)].update(re.findall(r"\w+", f"{column_name} {observed}"))
    all_planted = {pair for pairs in planted.values() for pair in pairs}
    stray = sorted(
        {
            (rule_id, _key(record_key), severity)
            for rule_id, record_key, severity, state, *_ in rows
            if state == "open" and (rule_id, _key(record_key)) not in all_planted
        }
    )
    figures, missed, misnamed = [], [], []
    for name, pairs in sorted(planted.items()):
        rules, found = {rule_id for rule_id, _ in pairs}, [pair for pair in pairs if pair in named]
        wrong = [pair for pair in found if pairs[pair] not in named[pair]]
        missed += [(name, *pair) for pair in pairs if pair not in named]
        misnamed += [(name, *pair) for pair in wrong]
        figures.append(
            Figure(
                name,
                len({key for _, key in pairs}),
                len(pairs),
                len(found),
                sum(s[0] in rules for s in stray),
                len(found) - len(wrong),
            )
        )
    return Score(figures, sorted(missed), sorted(misnamed), stray)


def print_score(url: str, truth: list, console) -> None:
    scored = score(url, truth)
    console.print("\nPlanted defects, found by (rule, record key):")
    console.print(f"  {'class':<12}{'planted':>8}{'found':>8}{'recall':>9}{'precision':>11}", highlight=False)
    total = Figure(
        "all",
        *(sum(getattr(f, name) for f in scored.figures) for name in ("records", "planted", "found", "stray", "right")),
    )
    for f in [*scored.figures, total]:
        console.print(f"  {f.name:<12}{f.planted:>8}{f.found:>8}{f.recall:>9.3f}{f.precision:>11.3f}", highlight=False)
    console.print(
        f"  {len(scored.stopping)} findings of severity block or quarantine that nobody planted", highlight=False
    )
    for rule_id, key, _ in scored.stopping[:10]:
        console.print(f"    not planted: {rule_id} {key}", highlight=False, markup=False)
    for name, rule_id, key in scored.missed[:10]:
        console.print(f"    missed: {name} {rule_id} {key}", highlight=False, markup=False)


def _key(record_key: dict) -> str:
    """A key in one spelling: times as UTC seconds, everything else as text."""
    return json.dumps({name: spelled(value) for name, value in sorted(record_key.items())}, ensure_ascii=False)


def spelled(value) -> str | None:
    """A value of a key in one spelling: instants as UTC seconds, days as ISO text, everything else as text."""
    if isinstance(value, datetime):
        return str(value.timestamp())
    if isinstance(value, date) or value is None:
        return value and value.isoformat()
    text = str(value)
    if len(text) > 10 and text[4:5] == "-" and text[7:8] == "-":
        try:
            return str(datetime.fromisoformat(text).timestamp())
        except ValueError:
            return text
    return text
