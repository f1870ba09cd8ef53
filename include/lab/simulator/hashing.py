"""Random numbers as a pure function of names and keys.

Every draw is a 64-bit hash (the finaliser of splitmix64) of the seed, the name of the stream and integer keys such as
account, day and slot. There is no state: the same keys give the same number, whatever else is drawn, and arrays of
keys broadcast like any numpy operation.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _finalise(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def _as_keys(key) -> np.ndarray:
    array = np.asarray(key)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[D]")
    return array.astype(np.int64).view(np.uint64)


def bits(seed: int, stream: str, *keys) -> np.ndarray:
    """64 random bits for each combination of keys (integers or days), as uint64."""
    with np.errstate(over="ignore"):
        x = _finalise(np.asarray(np.int64(seed)).view(np.uint64) * _GAMMA + np.uint64(crc32(stream.encode())))
        for key in keys:
            x = _finalise(x * _GAMMA + _finalise(_as_keys(key) + _GAMMA))
    return x


def uniform(seed: int, stream: str, *keys) -> np.ndarray:
    """Uniform numbers in [0, 1)."""
    return (bits(seed, stream, *keys) >> np.uint64(11)) * (2.0**-53)


def normal(seed: int, stream: str, *keys) -> np.ndarray:
    """Nearly normal numbers, mean 0 and deviation 1, never beyond 3.5: four 16-bit uniforms added up."""
    x = bits(seed, stream, *keys)
    mask = np.uint64(0xFFFF)
    total = sum(((x >> np.uint64(shift)) & mask).astype(np.float64) for shift in (0, 16, 32, 48))
    return (total / 65535.0 - 2.0) * np.sqrt(3.0)


def integers(seed: int, stream: str, low: int, high: int, *keys) -> np.ndarray:
    """Integers in [low, high)."""
    return low + (uniform(seed, stream, *keys) * (high - low)).astype(np.int64)


def choice(seed: int, stream: str, values, *keys) -> np.ndarray:
    """One of `values` for each combination of keys."""
    return np.asarray(values)[integers(seed, stream, 0, len(values), *keys)]
