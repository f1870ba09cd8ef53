"""What the contracts declare as expected is looked for: by a rule of the catalogue, or as a kind of thing of the seed."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

from include.contracts import all_tables
from include.quality.rules import load_rules

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "quality"
WHAT = {"curve of a channel": "curve", "voltage day of a phase": "voltage"} | {
    f"{length} freeze of a register": what for length, what in (("daily", "register"), ("monthly", "month register"))
}
WIRINGS = ("SINGLE_PHASE", "3P3W", "3P4W")


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def declared():
    return [(table, expectation) for table in all_tables().values() for expectation in table.expected]


def test_every_declared_expectation_is_a_rule_or_a_kind_of_thing():
    tables = {row["table_name"] for row in seed("expected_things")}
    rules = {rule.id for rule in load_rules()}
    silent = [
        f"{table.name}: {expectation.what}"
        for table, expectation in declared()
        if expectation.rule not in rules and table.name not in tables
    ]
    assert (silent, len(declared()) > 10) == ([], True)


def test_every_kind_of_thing_has_its_rule_and_its_table():
    rules = {rule.id: rule for rule in load_rules()}
    for row in seed("expected_things"):
        assert rules[row["rule_id"]].table_name == row["table_name"], row["what_code"]


def test_the_channels_are_those_of_the_contract():
    """Feed-in stands in the seed alone: it depends on another point of the account."""
    by_contract = set()
    for _, expectation in declared():
        for channel in expectation.channels if expectation.what in WHAT else ():
            where = dict(channel.where)
            values = dict(channel.values)
            names = ("data_type", "energy_kind", "phase", "dir", "rate")
            for parts in product(*(values.get(name, ("",)) for name in names)):
                kind, energy, phase, direction, rate = parts
                for wiring in where.get("wiring", WIRINGS):
                    for role in ("true", "false") if "mp_role" not in where else ("true",):
                        by_contract.add((WHAT[expectation.what], role, wiring, kind + energy, phase, direction, rate))
    by_seed = {
        (row["what_code"], row["is_billing"], wiring, row["data_type"], row["phase"], row["direction"], row["rate"])
        for row in seed("expected_channels")
        if row["is_for_feed_in"] == "false"
        for wiring in ([row["wiring_code"]] if row["wiring_code"] else WIRINGS)
    }
    assert by_contract == by_seed
