"""All classes of the second hand, and the act of planting them into what a utility delivers."""

from __future__ import annotations

from functools import cache

from include.lab.second_planter import (
    bills,
    contracts,
    curves,
    customers,
    installations,
    metering_archive,
    metering_events,
    people,
    plans,
    registers,
    service,
)
from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import Kind, Planted
from include.lab.simulator.simulation import Simulation

_ROOMS = (
    metering_archive,
    curves,
    registers,
    metering_events,
    customers,
    installations,
    bills,
    service,
    plans,
    people,
    contracts,
)


@cache
def kinds() -> tuple[Kind, ...]:
    """Every class, in the order of the rooms; their codes are unique."""
    return tuple(kind for room in _ROOMS for kind in room.CLASSES)


def plant(simulation: Simulation, seed: int) -> list[Planted]:
    """Plant every class into the tables of a delivery, drawn from a seed; what was planted, a record each.

    Knows the delivered tables only, not how they came about. A class that spoils identities comes first and has its
    accounts to itself. Raises ValueError where the delivery is too small for the records of a class.
    """
    desk = Desk(simulation.tables, simulation.business_date, simulation.days, seed)
    for kind in sorted(kinds(), key=lambda kind: not kind.breaks_identity):
        kind.spoil(desk, kind)
    return desk.apply()
