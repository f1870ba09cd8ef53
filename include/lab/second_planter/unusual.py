"""The false-alarm set: kinds of valid but unusual data, and the act of putting them into what a utility delivers."""

from __future__ import annotations

from functools import cache

from include.lab.second_planter import unusual_energy, unusual_records, unusual_texts
from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import Planted, Unusual
from include.lab.simulator.simulation import Simulation


@cache
def unusual_kinds() -> tuple[Unusual, ...]:
    """Every kind; their codes are unique."""
    return (*unusual_texts.KINDS, *unusual_energy.KINDS, *unusual_records.KINDS)


def plant_unusual(simulation: Simulation, seed: int) -> list[Planted]:
    """Put every kind into the tables of a delivery, drawn from a seed; the records that no finding may name.

    Raises ValueError where the delivery is too small for the records of a kind.
    """
    desk = Desk(simulation.tables, simulation.business_date, simulation.days, seed)
    for kind in sorted(unusual_kinds(), key=lambda kind: not kind.breaks_identity):
        kind.spoil(desk, kind)
    return desk.apply()
