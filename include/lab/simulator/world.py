"""The simulated utility before anything happens in it: its accounts, their metering points, their terminals."""

from __future__ import annotations

from dataclasses import dataclass

from include.lab.simulator.accounts import Account, build_account
from include.lab.simulator.points import Points, build_points


@dataclass
class World:
    seed: int
    accounts: list[Account]
    points: Points
    terminal_no: list[str]
    is_rich: bool


def build_world(seed: int, count: int, is_rich: bool = False) -> World:
    """All accounts and points of a utility of `count` accounts, a rich one with the stories of `stories`."""
    accounts = [build_account(seed, i, is_rich) for i in range(count)]
    return World(seed, accounts, build_points(seed, accounts), [f"3110{i:06d}" for i in range(count)], is_rich)
