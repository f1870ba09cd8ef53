"""The simulated utility is repeatable, independent of its window and its size, and true to the contracts."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow.compute as pc
import pytest

from include.contracts import all_tables, load_contracts
from include.lab.simulator.delivery_text import EVENT_COLUMNS
from include.lab.simulator.simulation import Simulation
from include.lab.simulator.tables import arrow_type
from include.lab.utility import generate
from tests.simulated import DAY, frame, simulated

# a rich utility changes a meter, a ratio and an owner on 1 November 2026, and has lost a customer in October
KINDS = {
    "plain": {"business_date": DAY, "accounts": 20, "days": 12, "seed": 3},
    "rich": {"business_date": date(2026, 10, 31), "accounts": 40, "days": 25, "seed": 3, "is_rich": True},
}


@pytest.fixture(scope="module", params=KINDS)
def given(request: pytest.FixtureRequest) -> dict:
    return KINDS[request.param]


@pytest.fixture(scope="module")
def utility(given: dict) -> Simulation:
    return simulated(**given)


@pytest.fixture(scope="module")
def next_day(given: dict) -> Simulation:
    return simulated(**given | {"business_date": given["business_date"] + timedelta(days=1)})


def test_the_same_arguments_give_the_same_tables(utility, given):
    again = generate(**given)
    assert all(again.tables[name].equals(table) for name, table in utility.tables.items())


def test_another_seed_gives_another_utility(utility, given):
    other = simulated(**given | {"seed": 4})
    assert not other.tables["marketing", "mkt_bill"].equals(utility.tables["marketing", "mkt_bill"])


@pytest.mark.parametrize("name", [*EVENT_COLUMNS, "mkt_mp", "mkt_contact"])
def test_a_past_row_is_the_same_a_day_later(utility, next_day, name):
    volatile = {"status", "src_updated_at"} if name == "mkt_bill" else set()
    key = list(all_tables()[name].key)
    before, after = (frame(s, name).set_index(key).drop(columns=list(volatile)) for s in (utility, next_day))
    shared = before.index.intersection(after.index)
    assert len(shared) >= 0.8 * len(before)
    if name == "met_register_freeze":  # the oldest monthly freeze tells no demand, for its month is not shown
        shared = shared[shared.get_level_values("freeze_ts") > shared.get_level_values("freeze_ts").min()]
    pd.testing.assert_frame_equal(before.loc[shared], after.loc[shared])


@pytest.mark.parametrize(
    "name",
    [
        "met_interval_96",
        "met_register_freeze",
        "mkt_customer",
        "mkt_bill",
        "mkt_payment",
        "mkt_ticket",
        "con_contract",
        "con_trade_settle",
        "mkt_inspection",
    ],
)
def test_an_account_is_the_same_in_a_larger_utility(utility, given, name):
    larger = simulated(**given | {"accounts": given["accounts"] + 20})
    key = list(all_tables()[name].key)
    small, large = (frame(s, name).set_index(key) for s in (utility, larger))
    pd.testing.assert_frame_equal(small.sort_index(), large.loc[small.index].sort_index())


def test_no_row_is_newer_than_the_morning_after(utility):
    limit = pd.Timestamp(utility.business_date + timedelta(days=1), tz="Asia/Shanghai") + pd.Timedelta(hours=8)
    for name, table in all_tables().items():
        assert frame(utility, name)[table.cursor_column].max() <= limit, name


def test_every_contract_table_has_rows_in_the_columns_and_types_of_the_contract(utility):
    assert set(utility.tables) == {(s, t) for s, tables in load_contracts().items() for t in tables}
    for (_, name), table in utility.tables.items():
        contract = all_tables()[name]
        assert table.num_rows > 0, name
        assert table.column_names == [c.name for c in contract.columns]
        for column in contract.columns:
            assert table.schema.field(column.name).type == arrow_type(column.physical_type), (name, column.name)


def test_required_columns_are_filled_allowed_values_hold_and_keys_are_unique(utility):
    for (_, name), table in utility.tables.items():
        contract = all_tables()[name]
        for column in contract.columns:
            values = table[column.name]
            assert not (column.is_required and values.null_count), (name, column.name)
            if column.allowed:
                seen = {str(v) for v in pc.unique(values).to_pylist() if v is not None}
                assert seen <= set(column.allowed), (name, column.name)
        keys = table.select(list(contract.key)).to_pandas()
        assert not keys.duplicated().any(), name


def test_references_resolve_across_the_systems(utility):
    for (_, name), table in utility.tables.items():
        for reference in all_tables()[name].references:
            target = frame(utility, reference.target_table)
            known = set(target[list(reference.target_columns)].itertuples(index=False, name=None))
            given = table.select(list(reference.columns)).to_pandas().dropna()
            missing = set(given.itertuples(index=False, name=None)) - known
            assert not missing, (name, reference.columns, sorted(missing)[:3])


def test_a_date_before_the_simulated_world_is_refused():
    with pytest.raises(ValueError, match="later business date"):
        simulated(date(2024, 1, 1), accounts=20)
