"""Library of day shapes: how the energy of a day spreads over its 96 slots.

A shape is a row of positive shares that add up to one. There is a family for each way of working, with variants that
carry the unrest of real load, and shifts by a few slots because no two works start at the same minute. All figures
are synthetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.lab.simulator.hashing import normal

FAMILIES = (
    *("THREE_SHIFT", "TWO_SHIFT", "ONE_SHIFT", "OFFICE", "SHOP", "HOSPITAL", "DATA_CENTRE", "PUMPING", "PV"),
    *("CHARGING", "BATTERY"),  # two shifts and a battery that is charged at night, and what the battery gives back
)
VARIANTS = 24
SHIFTS = (-2, 0, 2)
SLOTS = 96
# First slot (0-based) of each time-of-use segment of a day and the end: 00, 08, 10, 12, 14, 15, 17, 19, 24 h.
SEGMENT_EDGES = np.array([0, 32, 40, 48, 56, 60, 68, 76, 96])


@dataclass(frozen=True)
class Shapes:
    """`share` (n, 96), `cumulative` (n, 97) from 0 to exactly 1, `highest` (n,) the largest share of each shape."""

    share: np.ndarray
    cumulative: np.ndarray
    highest: np.ndarray

    @staticmethod
    def index(family, day_type, variant, shift):
        """Row of the library; all arguments are integers or arrays that broadcast."""
        return ((np.asarray(family) * 3 + day_type) * VARIANTS + variant) * len(SHIFTS) + shift


def _bump(hours: np.ndarray, start: float, end: float, soft: float = 0.5) -> np.ndarray:
    return 1 / (1 + np.exp(-(hours - start) / soft * 2)) - 1 / (1 + np.exp(-(hours - end) / soft * 2))


def _profile(family: str, day_type: int, h: np.ndarray) -> np.ndarray:
    off = day_type > 0
    if family == "THREE_SHIFT":
        return 1 + 0.06 * np.sin((h - 3) / 24 * 2 * np.pi) + 0.05 * _bump(h, 22, 24)
    if family == "TWO_SHIFT":
        return 0.30 + (0.25 if off else 0.80) * _bump(h, 7, 23) - (0.05 if off else 0.15) * _bump(h, 11.7, 12.7, 0.3)
    if family == "ONE_SHIFT":
        return 0.22 + (0.15 if off else 0.90) * _bump(h, 7.8, 18) - (0.02 if off else 0.30) * _bump(h, 12, 13.2, 0.3)
    if family == "OFFICE":
        return 0.25 + (0.20 if off else 0.85) * _bump(h, 8, 18.5, 0.8) + 0.05 * _bump(h, 13, 16)
    if family == "SHOP":
        return 0.20 + 0.80 * _bump(h, 9.5, 22) + 0.15 * _bump(h, 18, 21)
    if family == "HOSPITAL":
        return 0.60 + 0.35 * _bump(h, 7.5, 18, 1) + 0.05 * _bump(h, 18, 22)
    if family == "DATA_CENTRE":
        return 1 + 0.04 * _bump(h, 10, 20, 2)
    if family == "PUMPING":
        return 0.30 + 0.70 * _bump(h, 5, 11, 1) + 0.50 * _bump(h, 22, 24.5)
    if family == "CHARGING":
        return _profile("TWO_SHIFT", day_type, h) + 0.45 * _bump(h, 0.5, 6.5) - 0.20 * _bump(h, 16, 19)
    if family == "BATTERY":
        return 0.04 + 0.80 * _bump(h, 10, 12, 0.3) + 1.00 * _bump(h, 16, 19, 0.3)
    daylight = np.sin(np.clip((h - 6) / 12.5, 0, 1) * np.pi)
    return np.where(daylight > 0.04, daylight, 0.0)


def build_library(seed: int) -> Shapes:
    """All shapes of the world of one seed: 11 families x 3 day types x 24 variants x 3 shifts."""
    hours = (np.arange(SLOTS) + 0.5) / 4
    slots, variants = np.arange(SLOTS), np.arange(VARIANTS)[:, None]
    rows = []
    for number, family in enumerate(FAMILIES):
        for day_type in range(3):
            base = _profile(family, day_type, hours)
            unrest = normal(seed, "unrest", number * 3 + day_type, variants, slots)
            shape = base * (1 + (0.06 if family == "PV" else 0.035) * unrest)
            for shift in range(VARIANTS):
                rows.extend(np.roll(shape[shift], by if family != "PV" else by // 2) for by in SHIFTS)
    share = np.array(rows)
    share /= share.sum(axis=1, keepdims=True)
    cumulative = np.zeros((len(share), SLOTS + 1))
    np.cumsum(share, axis=1, out=cumulative[:, 1:])
    cumulative[:, -1] = 1.0
    return Shapes(share, cumulative, share.max(axis=1))
