"""The second hand plants what it says, and nothing else: every class and kind, on records that are there, told apart."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow.compute as pc
import pytest

from include.contracts import all_tables
from include.lab.second_planter.days import ZONE
from include.lab.second_planter.desk import SLOTS, Desk
from include.lab.second_planter.kinds import MECHANISMS, UNNAMED, Planted, slip
from include.lab.second_planter.manifests import spoil_manifests
from include.lab.second_planter.next_night import NEXT_NIGHT, plant_next_night
from include.lab.second_planter.plant import kinds, plant
from include.lab.second_planter.unusual import plant_unusual, unusual_kinds
from include.lab.second_planter.unusual_energy import reshaped
from include.lab.simulator.deliver import write_deliveries
from include.lab.utility import generate

DAY, ACCOUNTS, DAYS = date(2026, 11, 3), 300, 14


@dataclass
class Delivery:
    """The tables of a utility, before and after something was put in; records are found by their key."""

    clean: dict
    tables: dict
    planted: list[Planted]

    def __post_init__(self):
        self._places: dict = {}

    def row(self, name: str, key: dict, clean: bool = False) -> dict | None:
        """The record of a key, None where it is not delivered."""
        table = (self.clean if clean else self.tables)[all_tables()[name].source, name]
        if (name, clean) not in self._places:
            columns = [[_text(v) for v in table[c].to_pylist()] for c in all_tables()[name].key]
            self._places[name, clean] = {values: n for n, values in enumerate(zip(*columns, strict=True))}
        place = self._places[name, clean].get(tuple(_text(key[c]) for c in all_tables()[name].key))
        return None if place is None else table.slice(place, 1).to_pylist()[0]


def _text(value) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@cache
def _clean():
    return generate(DAY, ACCOUNTS, DAYS, 1)


def _delivery(put_in, seed: int = 1) -> Delivery:
    simulation = replace(_clean(), tables=dict(_clean().tables))
    return Delivery(_clean().tables, simulation.tables, put_in(simulation, seed))


@pytest.fixture(scope="module")
def spoilt() -> Delivery:
    return _delivery(plant)


@pytest.fixture(scope="module")
def strange() -> Delivery:
    return _delivery(plant_unusual)


def test_a_hundred_classes_and_more_over_all_mechanisms_and_tables():
    assert len(kinds()) >= 100
    assert len({kind.code for kind in kinds()}) == len(kinds())
    assert len({kind.words for kind in kinds()}) == len(kinds())
    may_be_left_out = {"mkt_department"}  # due only once it has landed
    assert {kind.table for kind in kinds()} == set(all_tables()) - may_be_left_out
    assert {kind.mechanism for kind in (*kinds(), *NEXT_NIGHT)} == {*MECHANISMS, UNNAMED}


def test_every_class_says_what_it_is_and_names_columns_of_the_contracts():
    for kind in kinds():
        assert all((kind.words.endswith("."), kind.spared, kind.cost, kind.explained)), kind.code
        assert set(kind.explained) <= {"missing", "mismatch", "arbitrary", "late"}
        assert set(kind.columns) <= {c.name for c in all_tables()[kind.table].columns}, kind.code
        for other in kind.others:
            table, column = other.split(".")
            assert column in {c.name for c in all_tables()[table].columns}, kind.code


def test_every_class_has_five_records_or_more(spoilt):
    records = Counter(planted.code for planted in spoilt.planted)
    assert set(records) == {kind.code for kind in kinds()}
    assert {code: n for code, n in records.items() if n < 5} == {}


def test_no_two_classes_touch_one_record(spoilt):
    keys = Counter((p.table, str(sorted(p.record_key.items()))) for p in spoilt.planted)
    assert {key: n for key, n in keys.items() if n > 1} == {}


def test_a_class_that_takes_another_ones_record_is_stopped():
    simulation = generate(DAY, 20, 2, 1)
    desk = Desk(simulation.tables, DAY, 2, 1)
    first, second = (
        slip(code, "M6", "mkt_customer.addr", "arbitrary", "The address is gone.", lambda r, n: {"addr": "-"})
        for code in ("one", "other")
    )
    row = desk.draw(first, "mkt_customer", lambda r: True, 1)[0]
    with pytest.raises(ValueError, match=r"class other touches mkt_customer .* which class one has spoilt"):
        desk.spoil(second, row, addr="?")


def test_the_truth_names_whole_keys_of_records_that_were_really_changed(spoilt):
    for planted in spoilt.planted:
        kind, key = planted.kind, planted.record_key
        assert set(key) == set(all_tables()[kind.table].key), kind.code
        now, before = spoilt.row(kind.table, key), spoilt.row(kind.table, key, clean=True)
        if not kind.columns:
            assert (before is not None, now) == (True, None), f"{kind.code} {key}: the record should be absent"
        elif before is not None:
            changed = {column for column in now if now[column] != before[column]}
            assert changed & {*kind.columns}, f"{kind.code} {key}: none of its columns differs"
        else:
            assert now is not None, f"{kind.code} {key}: the record should be delivered"


def test_neighbours_that_must_not_be_named_are_as_they_were(spoilt):
    assert sum(len(planted.spared) for planted in spoilt.planted) > 500
    for planted in spoilt.planted:
        for key in planted.spared:
            assert spoilt.row(planted.table, key) == spoilt.row(planted.table, key, clean=True), planted.code


def test_the_same_seed_plants_the_same_and_another_seed_something_else(spoilt):
    again, other = _delivery(plant), _delivery(plant, 2)
    assert again.planted == spoilt.planted
    assert all(again.tables[name].equals(table) for name, table in spoilt.tables.items())
    assert {str(p.record_key) for p in other.planted} != {str(p.record_key) for p in spoilt.planted}


def test_a_small_utility_is_refused_with_the_class_that_does_not_fit():
    with pytest.raises(ValueError, match=r"class [a-z-]+: \d of \d+ records of \w+; the utility is too small"):
        plant(generate(DAY, 20, 14, 1), 1)
    with pytest.raises(ValueError, match="3 days of curves are too few for the second hand"):
        plant(generate(DAY, ACCOUNTS, 3, 1), 1)


def test_the_check_meter_of_a_works_at_rest_rests_too():
    """Five works with a check meter beside the main one (synthetic): both are at zero all day, and so are their registers."""
    simulation = replace(_clean(), tables=dict(_clean().tables))
    points = simulation.tables["metering", "met_measuring_point"].to_pylist()
    at_rest = DAY - timedelta(days=1)
    collected = (
        _clean().tables["metering", "met_interval_96"].filter(pc.field("data_date") == at_rest)["mp_no"].to_pylist()
    )
    beside = {p["parent_mp_no"]: p for p in points if p["mp_role"] == "CHECK" and p["mp_no"] in {*collected}}
    kind = next(kind for kind in unusual_kinds() if kind.code == "works-at-rest-for-a-day")
    desk = Desk(simulation.tables, DAY, DAYS, 1)
    reshaped(lambda energy: np.zeros(96), lambda curves: curves["E+", "T"]["mp_no"] in beside)(desk, kind)
    meters = [m for p in desk.apply() for m in (p.record_key["mp_no"], beside[p.record_key["mp_no"]]["mp_no"])]
    assert len(meters) == 10
    for mp_no in meters:
        table = simulation.tables["metering", "met_interval_96"]
        rows = table.filter((pc.field("mp_no") == mp_no) & (pc.field("data_date") == at_rest)).to_pylist()
        (energy,) = [r for r in rows if r["data_type"] == "E+"]
        assert {float(energy[slot]) for slot in SLOTS} == {0.0}, mp_no
        asset = next(p["meter_asset_no"] for p in points if p["mp_no"] == mp_no)
        registers = simulation.tables["metering", "met_register_freeze"].filter(pc.field("meter_asset_no") == asset)
        readings = {
            r["freeze_ts"].astimezone(ZONE).date(): r["reading"]
            for r in registers.to_pylist()
            if (r["freeze_kind"], r["energy_kind"], r["dir"], r["rate"]) == ("DAY", "ACTIVE", "FWD", "T")
        }
        assert readings[DAY] == readings[at_rest], mp_no


def test_a_day_that_repeats_the_one_before_agrees_with_its_registers(spoilt):
    copies = [p for p in spoilt.planted if p.code == "yesterday-again-register-made-to-fit"]
    for planted in copies:
        key = planted.record_key
        day = date.fromisoformat(key["data_date"])
        now = spoilt.row(planted.table, key)
        before = spoilt.row(planted.table, key | {"data_date": (day - timedelta(days=1)).isoformat()})
        assert [now[slot] for slot in SLOTS] == [before[slot] for slot in SLOTS]
        assert _grown(spoilt, key["mp_no"], day) == pytest.approx(sum(now[slot] for slot in SLOTS), abs=0.01)


def test_a_second_night_lacks_what_the_first_held_or_writes_it_anew():
    delivery = _delivery(plant_next_night)
    rows = {
        p.table: [
            tables[all_tables()[p.table].source, p.table].num_rows for tables in (delivery.clean, delivery.tables)
        ]
        for p in delivery.planted
    }
    assert Counter(p.code for p in delivery.planted) == {kind.code: 5 for kind in NEXT_NIGHT}
    for planted in delivery.planted:
        before, now = rows[planted.table]
        missing = {"half-of-a-table-left-out": 0.5, "a-tenth-of-a-table-left-out": 0.9}.get(planted.code)
        if missing:
            assert now / before == pytest.approx(missing, abs=0.01), planted.table
    assert 0.75 < rows["con_contract"][1] / rows["con_contract"][0] < 0.9
    due_before, due_now = (t["marketing", "mkt_bill"]["due_on"].to_pylist() for t in (delivery.clean, delivery.tables))
    changed = sum(before != now for before, now in zip(due_before, due_now, strict=True))
    assert changed > 0.05 * rows["mkt_bill"][0]


def test_the_manifests_of_a_second_night_are_spoilt_and_nothing_else(tmp_path):
    simulation = generate(DAY, 20, 2, 1)
    write_deliveries(simulation, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    spoil_manifests(tmp_path, DAY)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    changed = {path.relative_to(tmp_path).as_posix() for path in after if before.get(path) != after[path]}
    tables = ("metering/met_interval_96", "metering/met_pq_sample", "metering/met_collect_task", "marketing/mkt_survey")
    spoilt = {f"{table}/_manifest.json" for table in (*tables, "contract/con_trade_curve")}
    assert changed == spoilt | {"metering/met_interval_96/substation_20261103.csv"}
    assert {p.record_key["table_name"] for p in _delivery(plant_next_night).planted if p.kind.mechanism == "M13"} == {
        name.split("/")[1] for name in spoilt
    }
    said = {name: json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in spoilt}
    assert said["metering/met_interval_96/_manifest.json"]["intervals"]["stamp"]["labels"] == "middle"
    assert said["metering/met_pq_sample/_manifest.json"]["zone"] == "UTC"
    for table, key in (
        ("metering/met_collect_task", "complete_form"),
        ("marketing/mkt_survey", "row_count"),
        ("contract/con_trade_curve", "sha-256"),
    ):
        assert key in said[f"{table}/_manifest.json"]["files"][0]


def test_forty_kinds_of_unusual_data_with_five_records_each_really_delivered(strange):
    records = Counter(planted.code for planted in strange.planted)
    assert len(records) >= 40
    assert set(records) == {kind.code for kind in unusual_kinds()}
    assert {code: n for code, n in records.items() if n < 5} == {}
    for planted in strange.planted:
        now, before = (strange.row(planted.table, planted.record_key, clean) for clean in (False, True))
        assert now is not None, planted.code
        assert now != before, planted.code
    assert all(kind.words and kind.reason for kind in unusual_kinds())


def test_unusual_curves_agree_with_their_registers(strange):
    reshaped = ("works-at-rest-for-a-day", "works-at-night-zero-by-day", "flat-load-of-a-data-centre")
    for planted in strange.planted:
        if planted.code in reshaped:
            row, key = strange.row(planted.table, planted.record_key), planted.record_key
            energy = sum(row[slot] for slot in SLOTS)
            assert _grown(strange, key["mp_no"], date.fromisoformat(key["data_date"])) == pytest.approx(
                energy, abs=0.01
            )


def _grown(delivery: Delivery, mp_no: str, day: date) -> float:
    """What the total register of a point grew by on a day."""
    meter = delivery.row("met_measuring_point", {"mp_no": mp_no})["meter_asset_no"]
    key = {
        "meter_asset_no": meter,
        "freeze_kind": "DAY",
        "energy_kind": "ACTIVE",
        "dir": "FWD",
        "rate": "T",
        "version": 1,
    }
    at = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    first, second = (
        delivery.row("met_register_freeze", key | {"freeze_ts": moment.isoformat()})["reading"]
        for moment in (at, at + timedelta(days=1))
    )
    return float(second - first)
