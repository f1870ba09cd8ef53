"""How well the gate found the planted defects: recall and precision per class, by (rule, record key)."""
from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime

from include.database import connect
from include.quality.base_rules import load_base_rules
from include.quality.rules import load_rules

STOPPING = ("block", "quarantine")


def score(url: str, truth: list) -> tuple[list[tuple[str, int, int, int]], list[tuple[str, str]]]:
    """Per class (name, planted, found, stray), and the findings of severity block or quarantine that nobody planted.

    Planted are the (rule, record key) pairs of the truth whose rule is in the rule book. Stray counts, for a class, the
    unplanted findings of the rules that the class breaks.
    """
    known = {r.id for r in [*load_base_rules(), *load_rules()]}
    planted: dict[str, set] = defaultdict(set)
    all_planted = set()
    for defect in truth:
        for rule_id in defect.rule_ids:
            pair = (rule_id, _key(defect.record_key))
            all_planted.add(pair)
            if rule_id in known:
                planted[defect.defect_class].add(pair)
    with connect(url) as connection:
        rows = connection.execute(
            "select rule_id, record_key, severity from quality.findings where state <> 'fixed'"
        ).fetchall()
    found = {(rule_id, _key(record_key)) for rule_id, record_key, _ in rows}
    stray = sorted((r, k) for r, k in {(r, _key(k)) for r, k, s in rows if s in STOPPING} - all_planted)
    classes = [
        (name, len(pairs), len(pairs & found), sum(rule_id in {r for r, _ in pairs} for rule_id, _ in stray))
        for name, pairs in sorted(planted.items())
    ]
    return classes, stray


def missed(url: str, truth: list) -> list[tuple[str, str, str]]:
    """(class, rule, record key) of every planted pair that no finding names."""
    known = {r.id for r in [*load_base_rules(), *load_rules()]}
    with connect(url) as connection:
        rows = connection.execute("select rule_id, record_key from quality.findings where state <> 'fixed'").fetchall()
    found = {(rule_id, _key(record_key)) for rule_id, record_key in rows}
    return sorted(
        (d.defect_class, rule_id, _key(d.record_key))
        for d in truth for rule_id in d.rule_ids
        if rule_id in known and (rule_id, _key(d.record_key)) not in found
    )  # fmt: skip


def print_score(url: str, truth: list, console) -> None:
    classes, stray = score(url, truth)
    console.print("\nPlanted defects, found by (rule, record key):")
    console.print(f"  {'class':<12}{'planted':>8}{'found':>8}{'recall':>9}{'precision':>11}", highlight=False)
    total, hits = sum(c[1] for c in classes), sum(c[2] for c in classes)
    for name, count, hit, wrong in [*classes, ("all", total, hits, len(stray))]:
        recall, precision = (hit / count if count else 1.0), (hit / (hit + wrong) if hit + wrong else 0.0)
        console.print(f"  {name:<12}{count:>8}{hit:>8}{recall:>9.3f}{precision:>11.3f}", highlight=False)
    console.print(f"  {len(stray)} findings of severity block or quarantine that nobody planted", highlight=False)
    for rule_id, key in stray[:10]:
        console.print(f"    not planted: {rule_id} {key}", highlight=False)
    for name, rule_id, key in missed(url, truth)[:10]:
        console.print(f"    missed: {name} {rule_id} {key}", highlight=False)


def _key(record_key: dict) -> str:
    """A key in one spelling: times as UTC seconds, everything else as text."""
    return json.dumps({name: _spelled(value) for name, value in sorted(record_key.items())}, ensure_ascii=False)


def _spelled(value) -> str | None:
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
