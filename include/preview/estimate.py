"""About how long it takes to build models, by their number and size."""

from __future__ import annotations

from dataclasses import dataclass

BYTES_A_SECOND, SECONDS_A_MODEL = 4_000_000, 0.1  # what was seen on two cores; an estimate says no more than the order


@dataclass(frozen=True)
class Estimate:
    """What is built at most: models, bytes that they take now, and about how long that and its rules take."""

    models: int
    bytes: int
    rules_s: float = 0.0

    @property
    def seconds(self) -> float:
        return self.models * SECONDS_A_MODEL + self.bytes / BYTES_A_SECOND + self.rules_s
