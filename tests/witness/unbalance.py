"""Voltages of a metering point by day and their unbalance (formulas 3.3: GB/T 15543, from line voltages)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.witness.raw import SLOTS, Raw, parameter

FACT = "fct_power_quality_daily"
KEYS = ["metering_point_no", "reading_date"]
DECIMALS = dict.fromkeys(("phases", "valid_slots", "unbalance_slots", "unbalance_over_slots"), 0) | dict.fromkeys(
    ("voltage_min_v", "voltage_max_v", "unbalance_max_pct", "unbalance_95_pct"), 4
)
DECIMALS["voltage_average_v"] = 3  # the averages of the phases are kept to 0.1 mV, and averaged


def witness(raw: Raw) -> pd.DataFrame:
    """Days with a valid voltage; the points with four wires tell unbalance at the instants with three voltages."""
    wiring = raw["met_measuring_point"].set_index("mp_no").wiring
    voltages = raw.curves("U")
    rows = []
    for (point, day), phases in voltages.groupby(level=["mp_no", "data_date"]):
        by_phase = phases.droplevel(["mp_no", "data_date"])
        by_phase = by_phase[by_phase.notna().any(axis=1)]
        if wiring[point] == "3P3W":  # no phase B: its voltage of 0 is the wiring's
            by_phase = by_phase[by_phase.index != "B"]
        values = by_phase.to_numpy()
        told = values[~np.isnan(values)]
        if not len(told):
            continue
        row = {
            "metering_point_no": point,
            "reading_date": day,
            "phases": len(by_phase),
            "valid_slots": len(told),
            "voltage_min_v": told.min(),
            "voltage_max_v": told.max(),
            "voltage_average_v": told.mean(),
        }
        rows.append(row | _unbalance(by_phase, wiring[point], day))
    return pd.DataFrame(rows).replace({np.nan: None}).infer_objects()


def _unbalance(by_phase: pd.DataFrame, wiring: str, day: pd.Timestamp) -> dict:
    names = ("unbalance_slots", "unbalance_over_slots", "unbalance_max_pct", "unbalance_95_pct")
    if wiring != "3P4W":
        return dict.fromkeys(names)
    phases = by_phase.reindex(["A", "B", "C"]).to_numpy(dtype=float)
    assert phases.shape == (3, SLOTS)
    phases = phases[:, ~np.isnan(phases).any(axis=0)]
    if not phases.shape[1]:
        return dict.fromkeys(names) | {"unbalance_slots": 0, "unbalance_over_slots": 0}
    # the line voltages of phase voltages 120 degrees apart, squared
    squares = np.array([a**2 + b**2 + a * b for a, b in zip(phases, np.roll(phases, -1, axis=0), strict=True)])
    measure = (squares**2).sum(axis=0) / squares.sum(axis=0) ** 2
    root = np.sqrt(np.clip(3 - 6 * measure, 0, None))
    percent = 100 * np.sqrt(np.clip((1 - root) / (1 + root), 0, None))
    limit = parameter("reliability_parameters", "unbalance_limit_pct", day)
    kept = np.sort(percent)[
        : len(percent) - len(percent) * 5 // 100
    ]  # GB/T 15543: without the highest 5 %, the largest
    return dict(zip(names, (len(percent), int((percent > limit).sum()), percent.max(), kept[-1]), strict=True))
