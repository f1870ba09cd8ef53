"""When the stages of a connection application run: working hours of working days, one after the other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from include.lab.simulator.days import add_working_days, next_working_day
from include.lab.simulator.hashing import uniform

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


_SKIPPED = {"MID_CHECK": (0.06, 0.09), "DESIGN_REVIEW": (0.09, 0.10)}
# the stages of what changes no plant
SHORT = ("ACCEPT", "VERIFY", "AGREEMENT", "ARCHIVE")


class Stage(NamedTuple):
    """One run of a stage; `return_to` names the stage that the case was sent back to at its end, times are local."""

    name: str
    owner: str
    start: np.datetime64
    end: np.datetime64
    return_to: str | None = None
    suspend_min: int = 0


def _path(draw: float, whole: bool) -> list[tuple[str, str | None]]:
    """Stages with where they sent the case back to: nine in ten cases go straight through all of them, a `whole` case skips none."""
    skipped = {} if whole else _SKIPPED
    names = [name for name, *_ in STAGES if not any(low <= draw < high for low, high in [skipped.get(name, (2, 2))])]
    path: list[tuple[str, str | None]] = [(name, None) for name in names]
    if draw < 0.04:
        at = names.index("FINAL_CHECK")
        path[at : at + 1] = [("FINAL_CHECK", "BUILD"), ("BUILD", None), ("FINAL_CHECK", None)]
    elif draw < 0.06:
        at = names.index("DESIGN_REVIEW")
        path[at : at + 1] = [("DESIGN_REVIEW", "SCHEME"), ("SCHEME", None), ("DESIGN_REVIEW", None)]
    elif 0.10 <= draw < 0.12:
        path.remove(("MID_CHECK", None))
        path.insert(names.index("FINAL_CHECK"), ("MID_CHECK", None))
    elif 0.12 <= draw < 0.15 and not whole:  # the drawings were signed only when the hidden works had been looked at
        path.remove(("DESIGN_REVIEW", None))
        path.insert(names.index("MID_CHECK"), ("DESIGN_REVIEW", None))
    return path


def schedule(
    seed: int, case: int, accepted_on: date, short: bool = False, whole: bool = False, is_slow: bool = False
) -> list[Stage]:
    """The runs of the stages of one case; a slow office takes twice as long for those that are its own.

    A stage starts on the first working day after the one before it has ended, and ends later than it starts.
    """
    draws = uniform(seed, "stage", case, np.arange(len(STAGES))[:, None], np.arange(3))
    path_draw, slow, hold = uniform(seed, "stage path", case, np.arange(3)).tolist()
    late = "SCHEME" if slow < 0.06 else "DESIGN_REVIEW" if slow < 0.10 else "METER_ENERGISE" if slow < 0.12 else None
    numbers = {name: n for n, (name, *_) in enumerate(STAGES)}
    runs, day = [], next_working_day(accepted_on)
    for name, return_to in [(name, None) for name in SHORT] if short else _path(path_draw, whole):
        _, owner, least, most = STAGES[numbers[name]]
        length, begin, finish = draws[numbers[name]]
        start = np.datetime64(day, "s") + np.timedelta64(int(8.5 * 3600 + begin * 3 * 3600), "s")
        working_days = least + int(length * (most - least + 1)) + (12 if name == late else 0)
        last = add_working_days(day, working_days * (2 if is_slow and owner == "UTILITY" else 1))
        end = np.datetime64(last, "s") + np.timedelta64(int(13.5 * 3600 + finish * 4 * 3600), "s")
        # now and then the clock stands while a paper is missing, for a part of the stage
        span = int((end - start).astype(int)) // 60
        held = int(span * 0.5 * finish) if owner == "UTILITY" and (hold * 97 + numbers[name] * 0.37) % 1 < 0.08 else 0
        runs.append(Stage(name, owner, start, end, return_to, held if held >= 60 else 0))
        day = next_working_day(last + timedelta(days=1))
    return runs


def end_of(runs: list[Stage], stage: str) -> date:
    """The day on which a stage ended for good."""
    return max(run.end for run in runs if run.name == stage).astype("datetime64[D]").item()
