"""How much of the energy the checks of curves see: the same fault at every point of the clean utility at once.

Three per cent of a day are lost, a day comes four slots late, three days come one slot late (all curves, or energy alone).
"""

from __future__ import annotations

import pytest

from include.quality.rules import load_rules
from tests.rules.staged import Staged

RULES = {rule.id: rule for rule in load_rules()}
DAY, FIRST_OF_THREE = "2026-11-03", "2026-11-02"
LEAST_SHARE = 0.95
SCALED = "(select array_agg(slots.value * {factor} order by slots.slot_no) from unnest(v) with ordinality as slots (value, slot_no))"


def found(staged: Staged, rule_id: str, data_type: str = "E+") -> set[tuple[str, str]]:
    """(metering point, day) of the curves of a quantity that a rule names."""
    keys = [violation["record_key"] for violation in staged.violations(RULES[rule_id])]
    return {(key["mp_no"], key["data_date"]) for key in keys if key["data_type"] == data_type}


def point_days(staged: Staged, first_day: str, last_day: str) -> set[tuple[str, str]]:
    """Every point with energy in all slots of each day: what is lost of nothing is not lost."""
    rows = staged.connection.execute(
        "select metering_point_no, reading_date::text from staging.int_curves_latest where quantity_code = 'E+'"
        " and phase_code = 'T' and collected_slots = 96 and quality.slot_sum(values_by_slot) > 0 and reading_date between %s and %s",
        (first_day, last_day),
    )
    return set(rows.fetchall())


def test_three_per_cent_of_a_day_are_missed_at_hardly_any_point(staged: Staged):
    owed = point_days(staged, DAY, DAY)
    assert len(owed) > 20
    assert found(staged, "MET-12") == set()
    staged.restart(
        [
            f"update {{{{met_interval_96}}}} set v = {SCALED.format(factor=0.97)}"
            f" where data_type in ('E+', 'P') and data_date = '{DAY}'"
        ]
    )
    told = found(staged, "MET-12")
    share = len(told & owed) / len(owed)
    print(f"a shortfall of 3 % of a day is found at {len(told & owed)} of {len(owed)} points ({share:.1%})")
    assert told <= owed
    assert share >= LEAST_SHARE


@pytest.mark.parametrize(
    ("rule_id", "what", "slots", "last_day"),
    [
        ("MET-50", "true", 4, FIRST_OF_THREE),
        ("MET-50", "true", 1, "2026-11-04"),
        ("MET-51", "data_type = 'E+'", 1, "2026-11-04"),
    ],
)
def test_a_shift_is_found_at_hardly_fewer_than_all_points(staged: Staged, rule_id, what, slots, last_day):
    owed = point_days(staged, FIRST_OF_THREE, last_day)
    staged.restart(
        [
            f"update {{{{met_interval_96}}}} set v = v[{97 - slots}:96] || v[1:{96 - slots}]"
            f" where {what} and data_date between '{FIRST_OF_THREE}' and '{last_day}'"
        ]
    )
    told = found(staged, rule_id)
    share = len(told & owed) / len(owed)
    print(f"{slots} slots late: {rule_id} finds {len(told & owed)} of {len(owed)} days of points ({share:.1%})")
    assert told <= owed
    assert share >= LEAST_SHARE
