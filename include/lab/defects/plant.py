"""Planted defects: which accounts get which class, so that no two effects meet, and the truth about each.

A class states what it touches; two classes share an account only where nothing that they touch is the same, and only
when accounts run out. Rates are those of the list of defects; every class has at least three instances. Where a `PlantingRate`
says otherwise (./kaw bench quality), every class takes the same share of the accounts that can host it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from math import ceil

import numpy as np

from include.lab.defects import contract, marketing, metering
from include.lab.defects.scene import LEAST, Defect, PlantingRate, Scene
from include.lab.simulator.editing import Editor
from include.lab.simulator.hashing import uniform
from include.lab.simulator.simulation import Simulation

_JUDGED = 60


def classes() -> list[Defect]:
    """All classes; their codes are unique."""
    return [*contract.CLASSES, *marketing.CLASSES, *metering.CLASSES]


def plant(
    simulation: Simulation, defects_seed: int | None, blocking: bool, planting_rate: PlantingRate | None = None
) -> None:
    """Plant all classes of `defects_seed`, and the bulk edit where `blocking`; fills `simulation.truth`.

    With a planting rate the truth names each class by its code. Raises ValueError where the utility is too small for the
    instances of a class.
    """
    scene = Scene(defects_seed or 0, simulation.world, simulation, Editor(simulation.tables))
    if defects_seed is not None:
        chosen = [d for d in classes() if planting_rate or not d.is_statistical]
        for defect, accounts in _allocate(scene, chosen, planting_rate):
            before = len(scene.truth)
            for number, account in enumerate(accounts):
                defect.plant(scene, account, number)
            if planting_rate:
                scene.truth[before:] = [replace(t, defect_class=defect.code) for t in scene.truth[before:]]
        if planting_rate:
            metering.note_gaps(scene)
    if blocking:
        metering.plant_bulk_edit(scene)
    scene.edit.apply()
    simulation.truth.extend(scene.truth)


def _allocate(scene: Scene, classes: list[Defect], planting_rate: PlantingRate | None):
    """Choose the accounts of each class; the classes that fit the fewest of the first accounts choose first."""
    accounts = [a for a in scene.world.accounts if a.is_settled(scene.simulation.business_date)]
    scarce = {d: sum(d.fits(scene, a) for a in accounts[:_JUDGED]) - len(d.touches) for d in classes}
    touched: dict[int, set[str]] = {a.number: set() for a in accounts}
    for defect in sorted(classes, key=lambda d: (scarce[d], d.code)):
        hosts = [a for a in accounts if defect.fits(scene, a)] if planting_rate else accounts
        if planting_rate:
            least = max(defect.least, planting_rate.least)
            wanted = max(least, ceil(planting_rate.share * len(hosts)))
            # a contract's parts are columns of one row, and no row under a planting rate has two defects
            touches = {part.split(".")[0] for part in defect.touches}
        else:
            least, touches = defect.least, defect.touches
            wanted = max(least, LEAST + int(defect.rate * len(accounts)))
        draw = uniform(scene.seed, "defect " + defect.code, np.arange(len(scene.world.accounts)))
        order = sorted(
            hosts, key=lambda a: (len(touched[a.number]) > 0, draw[a.number] + 0.05 * len(touched[a.number]))
        )
        free = (a for a in order if not touched[a.number] & touches and (planting_rate or defect.fits(scene, a)))
        chosen = list(islice(free, wanted))
        if len(chosen) < (wanted if planting_rate else least):
            raise ValueError(
                f"{len(accounts)} accounts are too few for {wanted if planting_rate else least} instances of class {defect.code}"
            )
        for account in chosen:
            touched[account.number] |= touches
        yield defect, chosen
