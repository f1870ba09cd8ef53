"""The levels that the arbitrary-fill rules state: how often honest work would be found, at the worst sample size."""
from __future__ import annotations

import csv
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest

SEED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "quality" / "quality_parameters.csv"
with SEED.open(encoding="utf-8") as lines:
    PARAMETERS = {(row["rule_id"], row["name"]): Fraction(row["value"]) for row in csv.DictReader(lines)}


def at_least(hits: int, size: int, chance: float) -> float:
    return sum(comb(size, n) * chance**n * (1 - chance) ** (size - n) for n in range(hits, size + 1))


@pytest.mark.parametrize(
    ("rule_id", "share", "least", "is_found_at_the_share", "chance", "times", "level"),
    [
        ("MKT-33", "share", "least_stages", False, 1 / 480, 480, 0.002),
        ("MKT-35", "share", "least_arrivals", False, 2 / 45, 1, 0.003),
        ("MKT-39", "top_share", "least_answers", True, 0.8, 1, 0.002),
    ],
)
def test_honest_work_is_found_as_seldom_as_the_rule_says(rule_id, share, least, is_found_at_the_share, chance, times, level):
    limit, smallest = PARAMETERS[rule_id, share], int(PARAMETERS[rule_id, least])
    worst = 0.0
    for size in range(smallest, 300):
        hits = next(n for n in range(size + 1) if n > limit * size or (is_found_at_the_share and n == limit * size))
        worst = max(worst, times * at_least(hits, size, chance))
    assert level / 2 < worst < level


def test_the_limit_of_the_last_digits_is_that_of_one_in_a_thousand():
    from scipy.stats import chi2

    assert chi2.sf(float(PARAMETERS["MET-30", "last_digit_chi_square"]), 9) == pytest.approx(0.001, rel=1e-3)
