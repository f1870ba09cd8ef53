"""What happens in a rich utility and not in the plain one: who lives each story, and from when on.

Who lives a story depends on the account's number alone, as its kind does: on its place in a block of twenty, and on the block.
The modules that make energy, outages, contracts and archives read what is told here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from include.lab.simulator.kinds import Kind

SLOW_OFFICE = 3  # takes twice as long as the others for each stage of a connection that is its own
FADING_INDUSTRY, FADING_FROM, FADING_A_DAY = "1711", date(2025, 1, 1), 0.9994  # textile: a fifth less each year
WEAK_FEEDER, FEEDERS_A_DISTRICT = 5, 25  # one feeder of each 25
WEAK_FAULT_SHARE, WEAK_FLASH_SHARE = 0.6, 0.5  # of its months
STORM_MONTH, STORM_DAY = 7, 28  # one day each summer on which lines come down overland, and some in the city
STORM_SHARE = {"URBAN": 0.25, "RURAL": 0.9, "REMOTE": 0.9}  # of the feeders


@dataclass(frozen=True)
class Story:
    """What an account lives through; this one, of an account of the plain utility, is empty.

    `joins_on` and `leaves_on` are days amid a month. `head` is the first account of its group, which has one legal customer
    and one payer. `sub_meters` are shares of the load behind meters of their own, `second_point` is the share of a second
    billing point on the same feeder.
    """

    head: int | None = None
    joins_on: date | None = None
    leaves_on: date | None = None
    new_owner_on: date | None = None
    swapped_on: date | None = None
    swap_enlarges: bool = False
    second_point: float = 0.0
    sub_meters: tuple[float, ...] = ()
    has_battery: bool = False
    fades: bool = False
    is_slow: bool = False

    @property
    def changes_contract_on(self) -> date | None:
        """The day of a contract version of its own: a new owner, or another ratio; a like meter is no change of contract."""
        return self.new_owner_on or (self.swapped_on if self.swap_enlarges else None)


PLAIN = Story()


def story_of(i: int, kind: Kind, office: int) -> Story:
    """The story of account `i` of a rich utility."""
    block, place = divmod(i, 20)
    pair, is_odd = divmod(block, 2)
    swapped = {16: _month(32 - pair * 6), 17: _month(34 - pair * 4)}.get(place) if not is_odd else None
    return Story(
        head=block * 20 + 3 if place in (3, 9, 13) and not is_odd else None,
        joins_on=_month(32 - pair * 4) + timedelta(days=16) if place == 15 and is_odd else None,
        leaves_on=_month(33 - pair * 4) + timedelta(days=11) if place == 4 and is_odd else None,
        new_owner_on=_month(34 - pair * 5) if place == 17 and is_odd else None,
        swapped_on=swapped,
        swap_enlarges=place == 17,
        second_point=0.3 if place == 14 and is_odd else 0.0,
        sub_meters=(0.55, 0.3) if place == 10 else (),
        has_battery=place == 6 and is_odd,
        fades=kind.industry_code == FADING_INDUSTRY,
        is_slow=office == SLOW_OFFICE,
    )


def _month(months: int) -> date:
    """The first of a month of 2024 to 2026, counted from January 2024; the first accounts have the latest months."""
    months = months % 36
    return date(2024 + months // 12, months % 12 + 1, 1)


def fading(fades: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Factor of the load of accounts on days, (accounts, days); never below a third."""
    since = np.clip((days - np.datetime64(FADING_FROM, "D")).astype(np.int64), 0, None)
    return np.where(fades[:, None], np.maximum(FADING_A_DAY**since, 1 / 3), 1.0)


def is_weak(feeder: np.ndarray) -> np.ndarray:
    """Whether a feeder fails often."""
    return feeder % FEEDERS_A_DISTRICT == WEAK_FEEDER
