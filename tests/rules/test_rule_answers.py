"""What each rule answers in the random data sets is as recorded: no rule changes unseen.

`answers.csv` has every rule in the random data sets, `targeted.csv` the data sets that are targeted at one rule and
show a weakening of it that nothing else shows. There the record holds what was tested too.

The record was made by the rules themselves. It says that an answer changed, not that it was right: that is for the planted
faults, the values at a limit and the oracles, whose expectations are typed in.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from include.quality.rules import load_rules
from tests.rules.random_sets import SEEDS, randomize
from tests.rules.staged import Staged
from tests.rules.targeted import Target
from tests.rules.test_mart_rules import THEMES, theme_of

ANSWERS = Path(__file__).with_name("answers.csv")
TARGETED = Path(__file__).with_name("targeted.csv")
RULES = {rule.id: rule for rule in load_rules()}
CATALOGUE = [rule for rule in load_rules() if not rule.id.startswith(("PIP", "MART"))]
SILENT = {  # they need many equal rows or days, a value of their own or an outage of a key account; planted faults break them
    "MET-14",
    "MET-31",
    "MET-32",
    "MKT-04",
    "MKT-05",
    "MKT-06",
    "MKT-07",
    "MKT-10",
    "MKT-33",
    "MKT-35",
    "MKT-39",
    "MKT-40",
    "CON-08",
    "CON-12",
    "CON-16",
    "XSR-02",
    "XSR-21",
    "XSR-23",
    "XSR-24",
    "XSR-27",
    "XSR-12",  # the values of a term are in int_terms_compared: no other row of it has another voltage level
}


Answers = dict[tuple[int, str], tuple[int, int, str]]


def recorded(path: Path = ANSWERS) -> Answers:
    """(seed, rule) -> rows tested, findings, digest of the findings."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (int(row["seed"]), row["rule_id"]): (int(row["tested"]), int(row["found"]), row["digest"])
            for row in csv.DictReader(file)
        }


def test_every_rule_answers_as_recorded(staged: Staged, tmp_path: Path):
    answers = {}
    for seed in SEEDS:
        with staged.connection.transaction(force_rollback=True):
            randomize(staged.connection, CATALOGUE, staged.business_date, seed)
            answers |= {(seed, rule.id): staged.answer(rule) for rule in CATALOGUE}
    _compare(answers, ANSWERS, tmp_path)


def test_every_rule_answers_as_recorded_in_the_data_sets_targeted_at_it(staged: Staged, tmp_path: Path):
    answers = {}
    targets: dict[str, Target] = {}
    for seed, rule_id in sorted(recorded(TARGETED), key=lambda pair: pair[::-1]):
        theme = theme_of(rule_id)
        with staged.connection.transaction(force_rollback=True):
            make_marts(staged, theme)
            targets.setdefault(theme, Target(staged.connection, staged.business_date)).randomize(RULES[rule_id], seed)
            answers[seed, rule_id] = staged.whole_answer(RULES[rule_id])
    _compare(answers, TARGETED, tmp_path)


def make_marts(staged: Staged, theme: str) -> None:
    for statement in THEMES[theme].GOOD if theme else ():
        staged.connection.execute(statement)


def _compare(answers: Answers, path: Path, folder: Path) -> None:
    now = folder / path.name
    now.write_text(_told(answers), encoding="utf-8")
    was = recorded(path)
    other = Counter(
        rule_id for seed, rule_id in answers | was if answers.get((seed, rule_id)) != was.get((seed, rule_id))
    )
    if other:
        told = ", ".join(f"{rule_id} in {count}" for rule_id, count in sorted(other.items()))
        pytest.fail(
            f"other answers than recorded, by worlds: {told}. If each change is meant, copy {now} over {path.name}.",
            pytrace=False,
        )


def test_the_random_data_sets_break_every_rule_but_these():
    found = {rule_id for (_, rule_id), (_, findings, _) in recorded().items() if findings}
    assert {rule.id for rule in CATALOGUE} - found <= SILENT


def _told(answers: Answers) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["rule_id", "seed", "tested", "found", "digest"])
    lines.writerows(
        [rule_id, seed, *answer] for (seed, rule_id), answer in sorted(answers.items(), key=lambda item: item[0][::-1])
    )
    return text.getvalue()
