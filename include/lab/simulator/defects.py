"""Planted defects: which accounts get which class, so that no two effects meet, and the truth about each.

A class states what it touches; two classes share an account only where nothing that they touch is the same, and only
when accounts run out. Rates are those of the list of defects; every class has at least three instances. Where a `Dose`
says otherwise (./kaw bench quality), every class takes the same share of the accounts that can host it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from math import ceil

import numpy as np
import pyarrow.compute as pc

from include.contracts import all_tables
from include.lab.simulator.editing import Editor
from include.lab.simulator.generate import Simulation, Truth
from include.lab.simulator.hashing import uniform
from include.lab.simulator.world import Account, World

LEAST = 3
_RECENT_DAYS = 25
_JUDGED = 60


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
class Dose:
    """How much is planted: of every class `share` of the accounts that can host it, and at least `least`."""

    share: float
    least: int = 20


@dataclass(frozen=True)
class Defect:
    """A class: `plant(scene, account, number)` spoils one account and notes the truth.

    A statistical class is one that honest data may resemble; it is planted by a `Dose` only.
    """

    code: str
    touches: frozenset[str]
    plant: Callable[[Scene, Account, int], None]
    rate: float = 0.0
    fits: Callable[[Scene, Account], bool] = lambda scene, account: True
    least: int = LEAST
    is_statistical: bool = False


def classes() -> list[Defect]:
    """All classes; their codes are unique."""
    from include.lab.simulator import defects_contract, defects_marketing, defects_metering

    return [*defects_contract.CLASSES, *defects_marketing.CLASSES, *defects_metering.CLASSES]


def plant(
    simulation: Simulation, world: World, defects_seed: int | None, blocking: bool, dose: Dose | None = None
) -> None:
    """Plant all classes of `defects_seed`, and the bulk edit where `blocking`; fills `simulation.truth`.

    With a dose the truth names each class by its code. Raises ValueError where the utility is too small for the
    instances of a class.
    """
    from include.lab.simulator.defects_metering import note_gaps, plant_bulk_edit

    scene = Scene(defects_seed or 0, world, simulation, Editor(simulation.tables))
    if defects_seed is not None:
        chosen = [d for d in classes() if dose or not d.is_statistical]
        for defect, accounts in _allocate(scene, chosen, dose):
            before = len(scene.truth)
            for number, account in enumerate(accounts):
                defect.plant(scene, account, number)
            if dose:
                scene.truth[before:] = [replace(t, defect_class=defect.code) for t in scene.truth[before:]]
        if dose:
            note_gaps(scene)
    if blocking:
        plant_bulk_edit(scene)
    scene.edit.apply()
    simulation.truth.extend(scene.truth)


def _allocate(scene: Scene, classes: list[Defect], dose: Dose | None):
    """Choose the accounts of each class; the classes that fit the fewest of the first accounts choose first."""
    accounts = [a for a in scene.world.accounts if a.is_settled(scene.simulation.business_date)]
    scarce = {d: sum(d.fits(scene, a) for a in accounts[:_JUDGED]) - len(d.touches) for d in classes}
    touched: dict[int, set[str]] = {a.number: set() for a in accounts}
    for defect in sorted(classes, key=lambda d: (scarce[d], d.code)):
        hosts = [a for a in accounts if defect.fits(scene, a)] if dose else accounts
        if dose:
            least = max(defect.least, dose.least)
            wanted = max(least, ceil(dose.share * len(hosts)))
            # a contract's parts are columns of one row, and no row of a dose has two defects
            touches = {part.split(".")[0] for part in defect.touches}
        else:
            least, touches = defect.least, defect.touches
            wanted = max(least, LEAST + int(defect.rate * len(accounts)))
        draw = uniform(scene.seed, "defect " + defect.code, np.arange(len(scene.world.accounts)))
        order = sorted(
            hosts, key=lambda a: (len(touched[a.number]) > 0, draw[a.number] + 0.05 * len(touched[a.number]))
        )
        free = (a for a in order if not touched[a.number] & touches and (dose or defect.fits(scene, a)))
        chosen = list(islice(free, wanted))
        if len(chosen) < (wanted if dose else least):
            raise ValueError(
                f"{len(accounts)} accounts are too few for {wanted if dose else least} instances of class {defect.code}"
            )
        for account in chosen:
            touched[account.number] |= touches
        yield defect, chosen


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
