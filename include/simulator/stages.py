"""When the stages of a connection application run: working hours of working days, one after the other."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from include.simulator.days import add_working_days, next_working_day
from include.simulator.hashing import uniform

# stage, whose clock runs, least and most working days from its start to its end
STAGES = (
    ("ACCEPT", "UTILITY", 0, 0),
    ("VERIFY", "UTILITY", 1, 2),
    ("SCHEME", "UTILITY", 4, 8),
    ("DESIGN_REVIEW", "UTILITY", 3, 7),
    ("MID_CHECK", "UTILITY", 1, 3),
    ("BUILD", "CUSTOMER", 10, 24),
    ("FINAL_CHECK", "UTILITY", 1, 3),
    ("AGREEMENT", "UTILITY", 1, 2),
    ("METER_ENERGISE", "UTILITY", 1, 3),
    ("ARCHIVE", "UTILITY", 0, 1),
)


def schedule(seed: int, case: int, accepted_on: date) -> list[tuple[str, str, np.datetime64, np.datetime64]]:
    """Stage, clock owner, start and end (local datetime64[s]) of each stage of one case.

    A stage starts on the first working day after the one before it has ended, and ends later than it starts.
    """
    draws = uniform(seed, "stage", case, np.arange(len(STAGES))[:, None], np.arange(3))
    runs, day = [], next_working_day(accepted_on)
    for (stage, owner, least, most), (length, begin, finish) in zip(STAGES, draws, strict=True):
        start = np.datetime64(day, "s") + np.timedelta64(int(8.5 * 3600 + begin * 3 * 3600), "s")
        last = add_working_days(day, least + int(length * (most - least + 1)))
        end = np.datetime64(last, "s") + np.timedelta64(int(13.5 * 3600 + finish * 4 * 3600), "s")
        runs.append((stage, owner, start, end))
        day = next_working_day(last + timedelta(days=1))
    return runs


def end_of(runs, stage: str) -> date:
    """The day on which a stage ended."""
    return next(end for name, _, _, end in runs if name == stage).astype("datetime64[D]").item()
