"""What a class of defects is, and what it needs to plant itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pyarrow.compute as pc

from include.contracts import all_tables
from include.lab.simulator.accounts import Account
from include.lab.simulator.editing import Editor
from include.lab.simulator.simulation import Simulation, Truth
from include.lab.simulator.world import World

LEAST = 3
_RECENT_DAYS = 25


@dataclass
class Scene:
    """What a class needs to plant itself. `recent` are the days of the window on which curves may be spoilt."""

    seed: int
    world: World
    simulation: Simulation
    edit: Editor
    truth: list[Truth] = field(default_factory=list)

    def __post_init__(self):
        today = self.simulation.business_date
        window = [today - timedelta(days=n) for n in range(self.simulation.days)]
        self.recent = window[1 : _RECENT_DAYS + 1] or window
        self.point_of: dict[int, int] = {}
        for row, key in enumerate(self.world.points.key.tolist()):
            if key % 4 == 0:
                self.point_of[key // 4] = row
        self.key_accounts = _key_accounts(self.world, self.edit)

    def mp(self, a: Account) -> str:
        """The main metering point of an account."""
        return self.world.points.mp_no[self.point_of[a.number]]

    def meter(self, a: Account) -> str:
        return self.world.points.meter_no[self.point_of[a.number]]

    def note(self, defect: str, name: str, row: int, column: str, rules: list[str], **changed_key) -> None:
        """Write down one record on which a defect breaks rules; the right value is the one before the edit."""
        right = self.edit.value(name, row, column)
        self.truth.append(
            Truth(
                defect,
                all_tables()[name].source,
                name,
                self.edit.key(name, row, **changed_key),
                column,
                None if right is None else str(right),
                rules,
            )
        )


@dataclass(frozen=True)
class PlantingRate:
    """How much is planted: of every class `share` of the accounts that can host it, and at least `least`."""

    share: float
    least: int = 20


@dataclass(frozen=True)
class Defect:
    """A class: `plant(scene, account, number)` spoils one account and notes the truth.

    A statistical class is one that honest data may resemble; it is planted by a `PlantingRate` only.
    """

    code: str
    touches: frozenset[str]
    plant: Callable[[Scene, Account, int], None]
    rate: float = 0.0
    fits: Callable[[Scene, Account], bool] = lambda scene, account: True
    least: int = LEAST
    is_statistical: bool = False


def _key_accounts(world: World, edit: Editor) -> set[int]:
    """Accounts that may count as key by revenue, capacity, importance or tier; classes keep off them where it matters."""
    bills = edit.table("mkt_bill")
    revenue: dict[str, float] = {}
    for cons, total in zip(
        bills["cons_no"].to_pylist(), pc.cast(bills["total_charge"], "float64").to_pylist(), strict=True
    ):
        revenue[cons] = revenue.get(cons, 0.0) + total
    order = sorted(world.accounts, key=lambda a: -revenue.get(a.cons_no, 0.0))
    share = np.cumsum([revenue.get(a.cons_no, 0.0) for a in order]) / max(sum(revenue.values()), 1e-9)
    keys = {a.number for a, before in zip(order, [0.0, *share[:-1]], strict=True) if before < 0.82}
    return keys | {
        a.number
        for a in world.accounts
        if a.cap_on(a.connect_on) >= 3000
        or a.importance != "NONE"
        or a.number % 20 in ((0, 1) if a.number < 20 else (0, 1, 8))
    }
