"""Curves, registers and demand of the simulated meters agree with one another and with physics."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from include.lab.simulator.simulation import Simulation
from tests.simulated import DAY, curves, frame, simulated


@pytest.fixture(scope="module")
def utility() -> Simulation:
    return simulated(DAY, accounts=20, days=12, seed=3)


def test_the_slots_of_a_day_add_up_to_the_register(utility):
    energy = curves(utility, "E+").sum(axis=1)
    registers = frame(utility, "met_register_freeze")
    daily = registers[(registers.freeze_kind == "DAY") & (registers.rate == "T") & (registers.energy_kind == "ACTIVE")]
    meter_of = frame(utility, "met_measuring_point").set_index("meter_asset_no").mp_no
    reading = (
        daily.assign(mp_no=daily.meter_asset_no.map(meter_of), day=daily.freeze_ts.dt.date)
        .pivot(index="mp_no", columns="day", values="reading")
        .astype(float)
    )
    for (point, day), kwh in energy.items():
        assert reading.loc[point, day + timedelta(days=1)] - reading.loc[point, day] == pytest.approx(kwh, abs=5e-4)


def test_the_rates_add_up_to_the_total_of_every_register(utility):
    registers = frame(utility, "met_register_freeze")
    active = registers[registers.energy_kind == "ACTIVE"].astype({"reading": float})
    wide = active.pivot(index=["meter_asset_no", "freeze_kind", "freeze_ts"], columns="rate", values="reading")
    assert np.allclose(wide["T"], wide[["SHARP", "PEAK", "FLAT", "VALLEY", "DEEP"]].sum(axis=1), atol=1e-3)


def test_power_is_four_times_the_energy_of_the_slot_and_stays_below_the_capacity(utility):
    energy, power = curves(utility, "E+"), curves(utility, "P")
    assert np.allclose(power, 4 * energy, atol=1e-9)
    points = (
        frame(utility, "met_measuring_point").merge(frame(utility, "mkt_customer"), on="cons_no").set_index("mp_no")
    )
    primary = power.max(axis=1).groupby("mp_no").max() * points.multiplier
    assert (primary.dropna() <= 1.2 * points.running_cap_kva.astype(float)[primary.dropna().index]).all()


def test_no_slot_is_dark_without_an_outage_and_the_voltage_is_plausible(utility):
    events = frame(utility, "met_power_event")
    cut = set(zip(events.mp_no, events.event_ts.dt.date, strict=True))
    kind = frame(utility, "met_measuring_point").set_index("mp_no")
    for phase in "ABC":
        for (point, day), volts in curves(utility, "U", phase).iterrows():
            on_high_side = (50, 130) if kind.wiring[point] == "3P3W" else (30, 80)
            low, high = on_high_side if kind.metering_side[point] == "HV_HV" else (100, 280)
            live = volts[volts > 0]
            assert live.between(low, high).all()
            assert len(live) == 96 or (point, day) in cut


def test_demand_is_the_highest_power_of_the_month():
    month = simulated(date(2025, 6, 30), accounts=20, days=30, seed=3)
    highest = curves(month, "P").max(axis=1).groupby("mp_no").max()
    registers = frame(month, "met_register_freeze")
    is_closing = registers.freeze_kind.eq("MONTH") & registers.freeze_ts.eq(
        pd.Timestamp("2025-07-01", tz="Asia/Shanghai")
    )
    closing = registers[is_closing & registers.rate.eq("T") & registers.energy_kind.eq("ACTIVE")]
    demand = closing.set_index("meter_asset_no").max_demand_kw.astype(float)
    meter = frame(month, "met_measuring_point").set_index("mp_no").meter_asset_no
    assert np.allclose(demand[meter[highest.index]].to_numpy(), highest.to_numpy(), atol=1e-3)


def test_own_generation_feeds_in_only_where_the_sun_gives_more_than_the_grid():
    simulation = simulated(date(2026, 11, 23), accounts=160, days=20, seed=1)
    feed, active = curves(simulation, "E-"), curves(simulation, "E+")
    factor = frame(simulation, "met_measuring_point").set_index("mp_no").multiplier
    assert len(feed.index.get_level_values(0).unique()) == 8
    assert (feed.sum(axis=1) > 0).any()
    for (point, day), slots in feed[feed.sum(axis=1) > 0].iterrows():
        sun = active.loc[(f"{point[:-2]}04", day)] * factor[f"{point[:-2]}04"]
        fed = slots > 0
        assert (sun[fed] > active.loc[(point, day)][fed] * factor[point]).all()
        assert (slots[fed] * factor[point] < sun[fed]).all()
