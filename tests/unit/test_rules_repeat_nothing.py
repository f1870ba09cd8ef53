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
    ("MET-62", "XSR-30"): "both join what was found to the population and tell it; no line is alike but by shape",
    (
        "MART-07",
        "MART-26",
    ): "revenue and energy of a ranking over the same bills; MART-26 is a witness and stays independent",
}


def body(rule_id: str, text: str) -> list[str]:
    """Lines of the two queries; what parts them is no other rule's, so that no run goes from the first to the second."""
    lines = [" ".join(line.split()) for line in text[text.index("*/") + 2 :].splitlines()]
    parted = [f"violations of {rule_id}" if line == "-- violations" else line for line in lines]
    return [line for line in parted if line not in ("", ")", "(", "),") and not line.startswith("--")]


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
    ids = {path: path.name.split("_")[0] for path in files}
    return {rule_id: body(rule_id, path.read_text(encoding="utf-8")) for path, rule_id in ids.items()}


def test_no_rule_repeats_six_lines_of_another():
    assert repeated(bodies()) == {}


def test_six_lines_of_one_shape_have_their_reason():
    shapes = {
        rule_id: [line if line.startswith("violations of") else shape(line) for line in lines]
        for rule_id, lines in bodies().items()
    }
    deciding = {
        pair
        for pair, runs in repeated(shapes).items()
        if any(sum(bool(DECIDING.search(line)) for line in run) >= LINES / 2 for run in runs)
    }
    assert deciding == set(SAME_SHAPE)


def test_a_repeated_run_is_seen():
    lines = [f"and a{number} = b{number}" for number in range(LINES)]
    assert set(repeated({"A": lines, "B": ["select", *lines], "C": lines[1:]})) == {("A", "B")}
