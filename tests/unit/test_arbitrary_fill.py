"""What the rules of arbitrary fill state of chance: sample size, test, and how often honest work would be found."""

from __future__ import annotations

import csv
import re
from collections import Counter
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest

from include.quality.base_rules import load_base_rules
from include.quality.rules import load_rules

SEED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "quality" / "quality_parameters.csv"
with SEED.open(encoding="utf-8") as lines:
    PARAMETERS = {(row["rule_id"], row["name"]): Fraction(row["value"]) for row in csv.DictReader(lines)}

STATED = {rule.id: rule.source for rule in [*load_rules(), *load_base_rules()] if rule.axis == "arbitrary"}
ALONE = re.compile(
    r"; (each \w+( of \w+)?|the share of each day) alone( against (a |fixed )?\w+)?, no test of chance(, since .+)?(;|$)"
)
TESTED = re.compile(
    r"; (?P<test>binomial|chi-square|occupancy), where .+ and (?P<sample>\d+) or more are counted,"
    r" at most (?P<percent>[\d.]+) % of honest \w+ are found$"
)
COMPARED = re.compile(
    r"; binomial test against all entries beside the crowd, Bonferroni over the marks, at the level of the seed$"
)
MADE = ("SEM-", "DUP-", "SHA-", "REP-", "CRD-")  # of contracts
TESTED_BY_CHANCE = {  # test, parameter of the smallest sample, share of honest work that is found at most
    "MET-30": ("chi-square", "last_digit_readings", 0.001),
    "MKT-33": ("binomial", "least_stages", 0.002),
    "MKT-35": ("binomial", "least_arrivals", 0.003),
    "MKT-39": ("binomial", "least_answers", 0.002),
    "MKT-40": ("occupancy", "least_inspections", 0.0003),
}


def at_least(hits: int, size: int, chance: float) -> float:
    return sum(comb(size, n) * chance**n * (1 - chance) ** (size - n) for n in range(hits, size + 1))


def at_most_different(texts: int, size: int, sentences: int) -> float:
    """Chance that `size` texts, each drawn evenly from `sentences`, are at most `texts` different ones."""
    chances = [1.0] + [0.0] * sentences
    for _ in range(size):
        chances = [
            chances[n] * n / sentences + (chances[n - 1] * (sentences - n + 1) / sentences if n else 0.0)
            for n in range(sentences + 1)
        ]
    return sum(chances[: texts + 1])


def test_every_rule_of_the_family_states_sample_size_test_and_level_or_that_it_judges_each_row_alone():
    made = Counter(rule_id[:4] for rule_id in STATED if rule_id.startswith(MADE))
    assert made == {"SEM-": 52, "DUP-": 19, "SHA-": 8, "REP-": 5, "CRD-": 7}
    assert {rule_id for rule_id in STATED if not rule_id.startswith(MADE)} == {
        "CON-03",
        "CON-05",
        "CON-15",
        "CON-16",
        "MART-44",
        "MET-11",
        "MET-20",
        "MET-28",
        "MET-30",
        "MET-61",
        "MET-62",
        "MET-63",
        "MET-64",
        "MKT-03",
        "MKT-04",
        "MKT-05",
        "MKT-06",
        "MKT-07",
        "MKT-08",
        "MKT-10",
        "MKT-11",
        "MKT-18",
        "MKT-33",
        "MKT-35",
        "MKT-39",
        "MKT-40",
    }
    assert [
        rule_id
        for rule_id, source in STATED.items()
        if not ALONE.search(source) and not TESTED.search(source) and not COMPARED.search(source)
    ] == []
    assert {rule_id[:4] for rule_id, source in STATED.items() if COMPARED.search(source)} == {"CRD-"}
    assert {rule_id for rule_id, source in STATED.items() if TESTED.search(source)} == set(TESTED_BY_CHANCE)
    for rule_id, (test, sample, level) in TESTED_BY_CHANCE.items():
        stated = TESTED.search(STATED[rule_id])
        assert stated["test"] == test, rule_id
        assert int(stated["sample"]) == PARAMETERS[rule_id, sample], rule_id
        assert float(stated["percent"]) / 100 == pytest.approx(level), rule_id


@pytest.mark.parametrize(
    ("rule_id", "share", "is_found_at_the_share", "chance", "times"),
    [
        ("MKT-33", "share", False, 1 / 480, 480),
        ("MKT-35", "share", False, 2 / 45, 1),
        ("MKT-39", "top_share", True, 0.8, 1),
    ],
)
def test_honest_work_is_found_as_seldom_as_the_rule_says(rule_id, share, is_found_at_the_share, chance, times):
    _, least, level = TESTED_BY_CHANCE[rule_id]
    limit, smallest = PARAMETERS[rule_id, share], int(PARAMETERS[rule_id, least])
    worst = 0.0
    for size in range(smallest, 300):
        hits = next(n for n in range(size + 1) if n > limit * size or (is_found_at_the_share and n == limit * size))
        worst = max(worst, times * at_least(hits, size, chance))
    assert level / 2 < worst < level


def test_texts_of_an_honest_month_are_found_as_seldom_as_the_rule_says():
    _, least, level = TESTED_BY_CHANCE["MKT-40"]
    limit, smallest = PARAMETERS["MKT-40", "distinct_share"], int(PARAMETERS["MKT-40", least])
    worst = 0.0
    for size in range(smallest, 200):
        texts = max(n for n in range(size) if n < limit * size)
        worst = max(worst, at_most_different(texts, size, size // 3))
    assert level / 2 < worst < level


def test_two_texts_of_two_sentences_are_equal_half_the_time():
    assert at_most_different(1, 2, 2) == 0.5
    assert at_most_different(2, 3, 3) == pytest.approx(7 / 9)  # all but the 6 of 27 ways without a repetition


def test_the_limit_of_the_last_digits_is_that_of_one_in_a_thousand():
    from scipy.stats import chi2

    assert chi2.sf(float(PARAMETERS["MET-30", "last_digit_chi_square"]), 9) == pytest.approx(
        TESTED_BY_CHANCE["MET-30"][2], rel=1e-3
    )
