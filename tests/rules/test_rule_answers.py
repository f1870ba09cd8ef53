"""What each rule answers in the random data sets is as recorded: no rule changes unseen.

`answers.csv` has every rule in the random data sets, `targeted.csv` the data sets that are targeted at one rule and
show a weakening of it that nothing else shows. There the record holds what was tested too.

`answers.rows.gz` and `targeted.rows.gz` hold what each digest was made of, so that another answer is told by its rows.

The record was made by the rules themselves. It says that an answer changed, not that it was right: that is for the planted
faults, the values at a limit and the oracles, whose expectations are typed in.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from hashlib import md5
from pathlib import Path

import pytest

from include.quality.rules import Rule, load_rules
from tests.rules.random_sets import SEEDS, randomize
from tests.rules.staged import Staged
from tests.rules.stand_ins import good_marts, theme_of
from tests.rules.targeted import Target

ANSWERS = Path(__file__).with_name("answers.csv")
TARGETED = Path(__file__).with_name("targeted.csv")
RULES = {rule.id: rule for rule in load_rules()}
# those on what should be there read one relation, whose every column their typed cases give
# those on copied, drawn and filled curves need whole curves, which random cells never make: their typed cases do
OF_WHOLE_CURVES = ("MET-61", "MET-62", "MET-63", "MET-64")
CATALOGUE = [rule for rule in load_rules() if not rule.id.startswith(("EXP", "PIP", "MART", *OF_WHOLE_CURVES))]
SILENT = {  # they need many equal rows or days, a value of their own or an outage of a key account; planted faults break them
    "MET-14",
    "MET-51",
    "MET-52",
    "MET-53",
    "MET-56",
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
    "CON-17",  # the amended field is one of six names
    "XSR-02",
    "XSR-21",
    "XSR-23",
    "XSR-24",
    "XSR-27",
    "XSR-31",  # the tariff must end within one month
    "XSR-12",  # the values of a term are in int_terms_compared: no other row of it has another voltage level
}


Answers = dict[tuple[int, str], tuple[int, int, str]]
Rows = dict[tuple[int, str], list[str]]  # of each answer, what its digest was made of
SHOWN = 5  # rows of a rule that a failure shows of each kind


def recorded(path: Path = ANSWERS) -> Answers:
    """(seed, rule) -> rows tested, findings, digest of the findings."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (int(row["seed"]), row["rule_id"]): (int(row["tested"]), int(row["found"]), row["digest"])
            for row in csv.DictReader(file)
        }


def recorded_rows(path: Path) -> Rows:
    """What the digests of a record were made of."""
    with gzip.open(_rows_of(path), "rt", encoding="utf-8") as file:
        return {(seed, rule_id): rows for rule_id, seed, rows in map(json.loads, file)}


def _rows_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.rows.gz")


class Record:
    """A record, and beside it the answers of now, with the rows of those that are others than recorded."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.was, self.rows = recorded(path), recorded_rows(path)
        self.now: Answers = {}
        self.other: Rows = {}

    def answer(self, staged: Staged, seed: int, rule: Rule, is_whole: bool) -> None:
        key = seed, rule.id
        self.now[key] = staged.whole_answer(rule) if is_whole else staged.answer(rule)
        if self.now[key] != self.was.get(key) or key not in self.rows:
            self.other[key] = staged.words(rule, is_whole)

    def compare(self, folder: Path) -> None:
        """Fails with the rows that came and went where an answer is another one; what to record then is in `folder`."""
        gone = self.was.keys() - self.now.keys()
        if not self.other and not gone:
            return
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["rule_id", "seed", "tested", "found", "digest"])
        keys = sorted(self.now, key=lambda key: key[::-1])
        lines.writerows([rule_id, seed, *self.now[seed, rule_id]] for seed, rule_id in keys)
        (folder / self.path.name).write_text(text.getvalue(), encoding="utf-8")
        rows = (
            [rule_id, seed, self.other.get((seed, rule_id), self.rows.get((seed, rule_id), []))]
            for seed, rule_id in keys
        )
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / _rows_of(self.path).name).write_bytes(gzip.compress(lines.encode(), mtime=0))
        told = "\n".join(self._told(key) for key in sorted(self.other, key=lambda key: key[::-1]))
        removed = f"\nno longer answered: {sorted(gone)}" if gone else ""
        pytest.fail(
            f"other answers than recorded:\n{told}{removed}\nIf each change is meant, copy {folder}/{self.path.stem}.* to"
            f" {self.path.parent}.",
            pytrace=False,
        )

    def _told(self, key: tuple[int, str]) -> str:
        seed, rule_id = key
        was, now = Counter(self.rows.get(key, ())), Counter(self.other[key])
        counts = [
            f"tested {answer[0]}, found {answer[1]}" if answer else "nothing"
            for answer in (self.was.get(key), self.now[key])
        ]
        lines = [f"{rule_id} in data set {seed}: {counts[0]} -> {counts[1]}"]
        for sign, rows in (("-", was - now), ("+", now - was)):
            listed = list(rows.elements())
            lines += [f"  {sign} {row}" for row in listed[:SHOWN]]
            if len(listed) > SHOWN:
                lines.append(f"  {sign} and {len(listed) - SHOWN} more")
        return "\n".join(lines)


def test_every_rule_answers_as_recorded(staged: Staged, tmp_path: Path):
    record = Record(ANSWERS)
    for seed in SEEDS:
        with staged.connection.transaction(force_rollback=True):
            randomize(staged.connection, CATALOGUE, staged.business_date, seed)
            for rule in CATALOGUE:
                record.answer(staged, seed, rule, is_whole=False)
    record.compare(tmp_path)


def test_every_rule_answers_as_recorded_in_the_data_sets_targeted_at_it(staged: Staged, tmp_path: Path):
    record = Record(TARGETED)
    targets: dict[str, Target] = {}
    for seed, rule_id in sorted(record.was, key=lambda pair: pair[::-1]):
        theme = theme_of(rule_id)
        with staged.connection.transaction(force_rollback=True):
            make_marts(staged, theme)
            targets.setdefault(theme, Target(staged.connection, staged.business_date)).randomize(RULES[rule_id], seed)
            record.answer(staged, seed, RULES[rule_id], is_whole=True)
    record.compare(tmp_path)


@pytest.mark.parametrize("path", [ANSWERS, TARGETED], ids=lambda path: path.stem)
def test_the_recorded_rows_are_those_of_the_digests(path: Path):
    rows = recorded_rows(path)
    answers = recorded(path)
    assert rows.keys() == answers.keys()
    for (seed, rule_id), words in rows.items():
        text = RULES[rule_id].severity + "\n".join(words)
        digest = md5(text.encode(), usedforsecurity=False).hexdigest()[:8] if words else "-"
        assert digest == answers[seed, rule_id][2], (seed, rule_id)


def test_another_answer_is_told_by_its_rows(tmp_path: Path):
    record = Record(ANSWERS)
    key = next(key for key, rows in record.rows.items() if len(rows) > 1 and len(rows) == len(set(rows)))
    record.now = dict(record.was) | {key: (1, 1, "another")}
    record.other = {key: [*record.rows[key][1:], '{"observed": "one more"}']}
    with pytest.raises(pytest.fail.Exception) as failed:
        record.compare(tmp_path)
    assert f"  - {record.rows[key][0]}" in str(failed.value)
    assert '  + {"observed": "one more"}' in str(failed.value)
    assert record.rows[key][1] not in str(failed.value)


def make_marts(staged: Staged, theme: str) -> None:
    for statement in good_marts(theme):
        staged.connection.execute(statement)


def test_the_random_data_sets_break_every_rule_but_these():
    found = {rule_id for (_, rule_id), (_, findings, _) in recorded().items() if findings}
    assert {rule.id for rule in CATALOGUE} - found <= SILENT
