"""Power-factor adjustment by the full table of (83) 水电财字第215号, in percent of the adjusted amount.

Rewards per hundredth above the standard grow to a cap; penalties grow by 0.5, then 1.0, then 2.0 per hundredth.
"""

from __future__ import annotations

import numpy as np

# standard in hundredths -> rewards of the first, second, ... hundredth above it (the last one holds for the rest)
_REWARDS = {
    90: [0.15, 0.30, 0.45, 0.60, 0.75],
    85: [0.10, 0.20, 0.30, 0.40, 0.50, 0.65, 0.80, 0.95, 1.10],
    80: [0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1.00, 1.15, 1.30],
}


def _percent(standard: int, actual: int) -> float:
    if actual >= standard:
        gained = min(actual - standard, len(_REWARDS[standard]))
        return -_REWARDS[standard][gained - 1] if gained else 0.0
    missing = standard - actual
    return 0.5 * min(missing, 20) + 1.0 * min(max(missing - 20, 0), 5) + 2.0 * max(missing - 25, 0)


# (standard in hundredths, power factor in hundredths) -> percent x 10 000
_TABLE = {s: np.array([round(_percent(s, a) * 10_000) for a in range(101)], dtype=np.int64) for s in _REWARDS}


def adjustment_units(standard: str, power_factor_units: np.ndarray) -> np.ndarray:
    """Adjustment in 10^-4 percent for power factors in 10^-4, rounded half-up to hundredths before the look-up.

    `standard` is "0.90", "0.85" or "0.80"; with "NONE" there is no adjustment.
    """
    if standard == "NONE":
        return np.zeros(len(power_factor_units), dtype=np.int64)
    hundredths = np.clip((power_factor_units + 50) // 100, 0, 100)
    return _TABLE[int(standard[2:])][hundredths]
