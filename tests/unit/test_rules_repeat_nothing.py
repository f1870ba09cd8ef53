"""No rule repeats six lines of another's SQL, to the letter or with other names: what two need is a macro or an `int_` model.

Headers are no code: each rule declares for its reader all that it is, also where a rule beside it says the same. The two
queries of every rule end alike (where it lies, observed, expected, from tested): that is their form. So lines of the same
shape count where at least half of them join, filter, group or decide.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations

from include.quality.rules import EXPECTATIONS

LINES = 6
DECIDING = re.compile(r"\b(from|join|where|group|order|case|when|union|with|on|and|or|having)\b")
WORD = re.compile(
    r"select|from|where|and|or|not|is|null|in|as|on|join|inner|left|cross|lateral|group|by|order|having|case|when|then|else"
    r"|end|distinct|union|all|with|over|partition|window|count|sum|min|max|coalesce|filter|exists|values"
)
SAME_SHAPE = {
    (
        "MART-07",
        "MART-26",
    ): "revenue and energy of a ranking over the same bills: a witness stays independent of other rules",
    ("MET-20", "MKT-41"): "a left join of one row each and a filter of nulls; the conditions have nothing in common",
    ("MKT-17", "XSR-08"): "two questions on the sum of running transformers, each with its own population",
    ("MKT-29", "MKT-41"): "a left join of one row each and a filter of nulls; the conditions have nothing in common",
    ("XSR-01", "XSR-15"): "both take price of the last bill to what was counted; what was counted differs",
}


def body(text: str) -> list[str]:
    lines = [" ".join(line.split()) for line in text[text.index("*/") + 2 :].splitlines()]
    return [line for line in lines if line not in ("", ")", "(", "),") and not line.startswith("--")]


def shape(line: str) -> str:
    line = re.sub(r"\b\d+(\.\d+)?\b", "0", re.sub(r"'[^']*'", "'s'", line))
    return re.sub(r"[A-Za-z_][\w.]*", lambda found: found[0] if WORD.fullmatch(found[0]) else "n", line)


def repeated(bodies: dict[str, list[str]]) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Pairs of rules with the runs of lines that they share."""
    places: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for rule_id, lines in bodies.items():
        for first in range(len(lines) - LINES + 1):
            places[tuple(lines[first : first + LINES])].add(rule_id)
    pairs = defaultdict(list)
    for run, rule_ids in places.items():
        for pair in combinations(sorted(rule_ids), 2):
            pairs[pair].append(run)
    return pairs


def bodies() -> dict[str, list[str]]:
    files = sorted(EXPECTATIONS.glob("*/*.sql"))
    assert len(files) > 100
    return {path.name.split("_")[0]: body(path.read_text(encoding="utf-8")) for path in files}


def test_no_rule_repeats_six_lines_of_another():
    assert repeated(bodies()) == {}


def test_six_lines_of_one_shape_have_their_reason():
    shapes = {rule_id: [shape(line) for line in lines] for rule_id, lines in bodies().items()}
    deciding = {
        pair
        for pair, runs in repeated(shapes).items()
        if any(sum(bool(DECIDING.search(line)) for line in run) >= LINES / 2 for run in runs)
    }
    assert deciding == set(SAME_SHAPE)


def test_a_repeated_run_is_seen():
    lines = [f"and a{number} = b{number}" for number in range(LINES)]
    assert set(repeated({"A": lines, "B": ["select", *lines], "C": lines[1:]})) == {("A", "B")}
