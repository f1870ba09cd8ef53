"""Simulated utilities for the tests of the simulator, each generated once a process, and their tables as frames."""

from __future__ import annotations

import functools
from datetime import date

import pandas as pd

from include.contracts import all_tables
from include.lab.simulator.simulation import Simulation
from include.lab.utility import generate

DAY = date(2025, 7, 15)
SLOTS = [f"v{k}" for k in range(1, 97)]
simulated = functools.cache(generate)


def frame(simulation: Simulation, name: str) -> pd.DataFrame:
    return simulation.tables[all_tables()[name].source, name].to_pandas()


def first_bills(simulation: Simulation) -> pd.DataFrame:
    """The bills as first issued: what takes one back or stands in place of it is left out."""
    bills = frame(simulation, "mkt_bill")
    return bills[bills.orig_bill_no.isna()]


def curves(simulation: Simulation, data_type: str, phase: str = "T") -> pd.DataFrame:
    rows = frame(simulation, "met_interval_96")
    rows = rows[(rows.data_type == data_type) & (rows.phase == phase) & (rows.version == 1)]
    return rows.set_index(["mp_no", "data_date"])[SLOTS].sort_index()
