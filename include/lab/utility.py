"""The simulated utility with what is planted in it: a pure function of its arguments. All of it is synthetic."""

from __future__ import annotations

from datetime import date

from include.lab.defects.plant import plant
from include.lab.defects.scene import PlantingRate
from include.lab.simulator.generate import generate as generate_clean
from include.lab.simulator.simulation import Simulation


def generate(
    business_date: date,
    accounts: int = 200,
    days: int = 45,
    seed: int = 1,
    defects_seed: int | None = None,
    blocking: bool = False,
    planting_rate: PlantingRate | None = None,
    is_rich: bool = False,
) -> Simulation:
    """The utility at the end of `business_date`; with a seed of defects they are planted, `truth` lists them.

    Raises ValueError where the date is before its history or the utility is too small for the defects.
    """
    simulation = generate_clean(business_date, accounts, days, seed, is_rich)
    if defects_seed is not None or blocking:
        plant(simulation, defects_seed, blocking, planting_rate)
    return simulation
