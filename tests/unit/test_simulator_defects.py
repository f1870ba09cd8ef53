"""Planted defects: every class, at every size, below the tables' limits, with a truth that names existing records."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from include.contracts import all_tables
from include.lab.utility import generate

CLASSES = {
    *(f"X{n}" for n in range(1, 17)),
    "P",
    "C",
    "I",
    "MET-01",
    "MET-02",
    "MET-04",
    "MET-05",
    "MET-06",
    "MET-08",
    "MET-16",
    "MET-21",
    "MET-27",
    "MET-31",
    "MET-32",
    "MKT-01",
    "MKT-13",
    "MKT-21",
    "MKT-23",
    "CON-01",
    "CON-02",
    "CON-04",
    "CON-08",
}
RULES = [
    "MET-01",
    "MET-02",
    "MET-04",
    "MET-05",
    "MET-06",
    "MET-08",
    "MET-12",
    "MET-16",
    "MET-21",
    "MET-27",
    "MET-31",
    "MET-32",
    "MKT-01",
    "MKT-03",
    "MKT-06",
    "MKT-10",
    "MKT-11",
    "MKT-12",
    "MKT-13",
    "MKT-21",
    "MKT-23",
    "CON-01",
    "CON-02",
    "CON-04",
    "CON-06",
    "CON-08",
    "XSR-01",
    "XSR-02",
    "XSR-03",
    "XSR-06",
    "XSR-09",
    "XSR-13",
    "XSR-14",
    "XSR-17",
]
QUARANTINING = {
    "MET-01",
    "MET-02",
    "MET-05",
    "MET-06",
    "MET-08",
    "MET-12",
    "MET-16",
    "MET-21",
    "MET-27",
    "MET-31",
    "MKT-01",
    "MKT-03",
    "MKT-10",
    "MKT-11",
    "MKT-12",
    "MKT-13",
    "MKT-21",
    "MKT-23",
    "CON-01",
    "CON-02",
    "CON-06",
    "CON-08",
    "XSR-01",
    "XSR-03",
    "XSR-09",
    "XSR-10",
    "XSR-15",
    "XSR-17",
    "XSR-23",
}


@pytest.fixture(scope="module")
def spoilt():
    return generate(date(2025, 7, 15), accounts=20, days=45, seed=1, defects_seed=7)


@pytest.fixture(scope="module")
def clean():
    return generate(date(2025, 7, 15), accounts=20, days=45, seed=1)


def rows_of(simulation, truth) -> list[dict]:
    """The rows under the key of a truth entry."""
    columns = list(all_tables()[truth.table_name].key)
    keys = simulation.tables[truth.source_name, truth.table_name].select(columns).to_pylist()
    wanted = {c: truth.record_key[c] for c in columns}
    return [k for k in keys if {c: v.isoformat() if hasattr(v, "isoformat") else v for c, v in k.items()} == wanted]


def test_every_class_is_planted_three_times(spoilt):
    counted = Counter(truth.defect_class for truth in spoilt.truth)
    assert set(counted) == CLASSES
    assert min(counted.values()) >= 3


def test_every_rule_of_the_first_night_is_broken_three_times(spoilt):
    broken = Counter(rule for truth in spoilt.truth for rule in truth.rule_ids)
    assert [rule for rule in RULES if broken[rule] < 3] == []


def test_the_records_of_the_truth_exist(spoilt):
    for truth in spoilt.truth:
        if truth.defect_class == "X2":  # names a point and month, not a row
            continue
        found = rows_of(spoilt, truth)
        assert len(found) == (2 if truth.rule_ids in (["MET-01"], ["MKT-01"], ["CON-01"]) else 1), truth


def test_a_record_stands_in_the_truth_once_for_a_rule(spoilt):
    pairs = [(rule, t.table_name, str(t.record_key)) for t in spoilt.truth for rule in t.rule_ids]
    assert [pair for pair, count in Counter(pairs).items() if count > 1] == []


@pytest.mark.parametrize(("day", "seed"), [(date(2025, 7, 1), 1), (date(2025, 3, 31), 2), (date(2025, 10, 22), 3)])
def test_defects_can_be_planted_on_any_day_of_the_month(day, seed):
    planted = generate(day, accounts=20, days=45, seed=seed, defects_seed=seed)
    broken = Counter(rule for truth in planted.truth for rule in truth.rule_ids)
    assert [rule for rule in RULES if broken[rule] < 3] == []


@pytest.mark.parametrize("accounts", [20, 200])
def test_no_table_passes_its_limit(accounts):
    planted = generate(date(2025, 7, 15), accounts=accounts, days=3 if accounts > 20 else 45, seed=1, defects_seed=7)
    records = {
        (t.source_name, t.table_name, str(t.record_key)): t
        for t in planted.truth
        if QUARANTINING & set(t.rule_ids) and t.defect_class != "X2"
    }
    held = Counter()
    for (source, table, _), truth in records.items():
        held[source, table] += len(rows_of(planted, truth))
    for name, count in held.items():
        assert count <= 20 or count <= 0.05 * planted.tables[name].num_rows, name


def test_defects_change_nothing_else(spoilt, clean):
    """Tables keep their rows but for the planted ones."""
    for name, table in clean.tables.items():
        planted = sum(t.table_name == name[1] for t in spoilt.truth) + 40
        if name[1] != "met_interval_96":
            assert abs(table.num_rows - spoilt.tables[name].num_rows) <= planted, name
        assert table.schema == spoilt.tables[name].schema


def test_event_rows_are_spoilt_only_where_a_correction_is_delivered_again(spoilt):
    from include.lab.simulator.delivery_text import EVENT_COLUMNS

    first = date(2025, 7, 15).toordinal() - 30
    for truth in spoilt.truth:
        day = (
            truth.record_key.get("data_date") or truth.record_key.get("freeze_ts") or truth.record_key.get("sampled_at")
        )
        if truth.table_name in EVENT_COLUMNS and day:
            assert date.fromisoformat(day[:10]).toordinal() >= first


def test_the_bulk_edit_spoils_more_points_than_their_table_may_lose():
    blocked = generate(date(2025, 7, 15), accounts=200, days=1, seed=1, blocking=True)
    points = blocked.tables["metering", "met_measuring_point"]
    assert len(blocked.truth) >= 25
    assert len(blocked.truth) > 0.05 * points.num_rows
    assert {rule for truth in blocked.truth for rule in truth.rule_ids} == {"MET-27"}
