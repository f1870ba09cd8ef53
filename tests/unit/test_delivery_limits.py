"""From how many missing or replaced rows on a delivery is unusual, and which tables nothing watches."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal

import pytest

from include import seeds
from include.contracts import all_tables
from include.contracts.declarations import Shrinking
from include.landing.databases import comes_every_night
from include.landing.limits import SEED, limits_of
from include.landing.withdrawals import office_column

DAY = date(2026, 11, 22)
CONTACTS = all_tables()["mkt_contact"]


# rows in force, absent rows, whether they stay in force, whether only a manifest or a person lets them go
@pytest.mark.parametrize(
    ("in_force", "absent", "is_pending", "blocks"),
    [
        (1000, 50, False, False),
        (1000, 51, True, False),
        (1000, 300, True, False),
        (1000, 301, True, True),
        (40, 2, False, False),  # more than 5 % is also more than 2 rows
        (40, 3, True, False),
        (39, 7, False, False),  # below 40 rows a fifth: 7.8
        (39, 8, True, False),
        (4, 1, False, False),  # one row is never many
        (4, 2, True, True),
    ],
)
def test_a_table_that_does_not_shrink(in_force, absent, is_pending, blocks):
    limits = limits_of(CONTACTS, DAY)
    assert (limits.is_pending(in_force, absent), limits.blocks(in_force, absent)) == (is_pending, blocks)


@pytest.mark.parametrize(
    ("own", "absent", "is_pending", "blocks"),
    [
        (Shrinking(shrinks=True), 300, False, False),
        (Shrinking(shrinks=True), 301, True, False),
        (Shrinking(shrinks=True), 451, True, True),
        (Shrinking(True, pending_share=Decimal("0.5"), block_share=Decimal("0.9")), 500, False, False),
        (Shrinking(True, pending_share=Decimal("0.5"), block_share=Decimal("0.9")), 900, True, False),
        (Shrinking(True, pending_share=Decimal("0.5"), block_share=Decimal("0.9")), 901, True, True),
        (Shrinking(True, pending_share=Decimal("0.01"), rows=400), 400, False, False),
    ],
)
def test_a_table_that_shrinks_by_its_contract(own, absent, is_pending, blocks):
    limits = limits_of(dataclasses.replace(CONTACTS, shrinking=own), DAY)
    assert (limits.is_pending(1000, absent), limits.blocks(1000, absent)) == (is_pending, blocks)


def test_a_limit_of_one_table_goes_before_that_of_all_and_each_has_its_days(monkeypatch: pytest.MonkeyPatch):
    assert limits_of(all_tables()["mkt_application"], DAY).restated_share == Decimal("0.25")
    assert limits_of(CONTACTS, DAY).restated_share == Decimal("0.05")
    without_end = "all,exchanged_days,3,days,2000-01-01,"
    ended = seeds.text(SEED).replace(without_end, without_end + "2026-11-22")
    monkeypatch.setattr(seeds, "text", lambda _: ended)
    assert limits_of(CONTACTS, date(2026, 11, 21)).exchanged_days == 3
    with pytest.raises(LookupError, match="the seed delivery_limits has no exchanged_days on 2026-11-22"):
        limits_of(CONTACTS, DAY)


def test_an_office_is_a_column_of_a_row_and_not_the_row_itself():
    offices = {name: office_column(table) for name, table in all_tables().items() if office_column(table)}
    assert offices == {
        "met_feeder": "org_no",
        "met_supply_voltage": "org_no",
        "mkt_customer": "org_no",
        "mkt_app_stage": "dept_no",
        "mkt_ticket": "dept_no",
        "mkt_manager": "org_no",
        "mkt_access_list": "org_no",
        "mkt_department": "org_no",
    }


def test_events_that_never_came_are_missed_by_their_number_or_by_what_is_expected_but_for_one_table():
    """A row that never landed cannot be withdrawn. Months have no band, and a table's contract may expect nothing."""
    events = [table for table in all_tables().values() if not table.is_full_compared]
    unwatched = [table.name for table in events if not comes_every_night(table) and not table.expected]
    by_number_alone = [table.name for table in events if comes_every_night(table) and not table.expected]
    print("neither a band nor an expectation:", *unwatched)
    print("a band alone, which sees half of a night missing from 37 rows a night on:", *by_number_alone)
    assert unwatched == ["met_supply_voltage"]
