"""Marts held against what a second hand worked out from the raw log and the formulas, cell by cell, on two seeds.

An area is a module beside this one: MART, KEYS, DECIMALS (places that the mart publishes), LEFT_OUT (columns that the witness
does not work out, each with the reason) and `witness`. Differences that are known are in `known.csv` with their reason.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from include.local.server import Server
from tests.simulated_marts import BUSINESS_DATE, COLLECTION_START, built_marts
from tests.witness import (
    churn,
    clocks,
    credit,
    energy,
    notices,
    payment,
    ranking,
    tariff,
    tickets,
    two_rates,
    unbalance,
)
from tests.witness.compare import differences, name_of
from tests.witness.raw import Raw

AREAS = [ranking, energy, tariff, payment, credit, two_rates, notices, clocks, tickets, churn]
KNOWN = Path(__file__).with_name("known.csv")
WITHHELD = {
    "is_partial": False,
    "withheld_rows": 0,
    "withheld_kwh": 0,
    "withheld_cny": 0,
}  # a clean delivery: nothing is

areas = pytest.mark.parametrize("area", AREAS, ids=lambda module: module.MART)


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.soak)], ids="seed {}".format)
def night(
    request: pytest.FixtureRequest, server: Server, session_home: Path, template: str
) -> Iterator[tuple[int, Raw]]:
    with built_marts(server, session_home, template, seed=request.param) as built:
        yield request.param, Raw(built.url, BUSINESS_DATE, COLLECTION_START)


@functools.cache
def worked_out(raw: Raw, area: ModuleType) -> pd.DataFrame:
    """What the witness says, with what it says of every mart of a clean delivery."""
    published = raw.published(area.MART)
    rows = area.witness(raw).assign(**{name: value for name, value in WITHHELD.items() if name in published})
    if "org_no" in published and "org_no" not in rows:
        rows["org_no"] = rows.account_no.map(raw["mkt_customer"].set_index("cons_no").org_no)
    if "partial_measures" in published:
        rows["partial_measures"] = [[] for _ in range(len(rows))]
    return rows


@areas
def test_every_cell_of_a_mart_is_what_the_witness_works_out(night: tuple[int, Raw], area: ModuleType) -> None:
    seed, raw = night
    worked = worked_out(raw, area)
    assert set(raw.published(area.MART).columns) == set(worked.columns) | set(area.LEFT_OUT)
    assert len(worked) > 0
    found = differences(raw.published(area.MART), worked, area.KEYS, area.DECIMALS)
    unknown, unused = _against(found, seed, area.MART)
    assert not unknown, "\n".join(["", area.MART, *unknown[:40], f"{len(unknown)} differences"])
    assert not unused, f"in {KNOWN.name}, but no difference any more: {unused}"


def test_voltages_and_unbalance_of_every_day_are_what_the_witness_works_out(night: tuple[int, Raw]) -> None:
    _, raw = night
    worked = unbalance.witness(raw)
    assert worked.unbalance_max_pct.notna().sum() > 10
    fact = raw.fact(unbalance.FACT)
    found = differences(fact[fact.valid_slots > 0], worked, unbalance.KEYS, unbalance.DECIMALS)
    assert not found, "\n".join(["", *found[:40], f"{len(found)} differences"])
    worked.loc[worked.unbalance_max_pct.notna().idxmax(), "unbalance_max_pct"] += 0.001
    assert len(differences(fact[fact.valid_slots > 0], worked, unbalance.KEYS, unbalance.DECIMALS)) == 1


def _against(found: list[str], seed: int, mart: str) -> tuple[list[str], list[dict]]:
    """Differences that no known one covers, and known ones that cover nothing."""
    with KNOWN.open(encoding="utf-8", newline="") as file:
        known = [row for row in csv.DictReader(file) if (row["seed"], row["mart"]) == (str(seed), mart)]
    covered = [
        [line for line in found if line.startswith(row["where"]) and f": {row['column']} " in line] for row in known
    ]
    rest = set(found).difference(*covered)
    return sorted(rest), [row for row, lines in zip(known, covered, strict=True) if not lines]


@areas
def test_an_error_planted_in_any_column_is_named(night: tuple[int, Raw], area: ModuleType) -> None:
    """One wrong cell in each column at once, and one row less: the comparison names each of them."""
    _, raw = night
    worked = worked_out(raw, area)
    published = raw.published(area.MART).set_index(area.KEYS)
    planted = published.astype(object)
    places = []
    for number, column in enumerate(c for c in worked.columns if c not in (*area.KEYS, "partial_measures")):
        filled = published.index[1:][published[column].iloc[1:].notna()]
        at = filled[number % len(filled)] if len(filled) else published.index[-1]
        planted.at[at, column] = _wrong(published.at[at, column], area.DECIMALS.get(column, 0))
        places.append((at, column))
    lines = differences(planted.iloc[1:].reset_index(), worked, area.KEYS, area.DECIMALS)
    names = {f"{name_of(at)}: {column} published" for at, column in places}
    unseen = names - {line.rsplit(" published ", 1)[0] + " published" for line in lines}
    assert not unseen, unseen
    assert f"{name_of(published.index[0])}: not published" in lines


def _wrong(value: object, places: int) -> object:
    """The smallest error that a reader can see."""
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, (int, float)) and not pd.isna(value):
        return value + 10**-places
    if isinstance(value, pd.Timestamp) and not pd.isna(value):
        return value + pd.Timedelta(minutes=15)
    return "WRONG" if isinstance(value, str) else 1.0
