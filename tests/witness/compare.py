"""Cell by cell: what a mart shows against what a witness worked out, both by their keys."""

from __future__ import annotations

import pandas as pd


def differences(published: pd.DataFrame, witness: pd.DataFrame, keys: list[str], decimals: dict[str, int]) -> list[str]:
    """One line for each cell that differs and for each row that only one side has.

    Columns compared are those of the witness. A number may differ by half a unit of its last published place (`decimals`; a
    column that is not listed is compared as it is), and by what a float cannot tell.
    """
    left, right = (_keyed(frame, keys) for frame in (published, witness))
    lines = [f"{name_of(key)}: not in the witness" for key in left.index.difference(right.index)]
    lines += [f"{name_of(key)}: not published" for key in right.index.difference(left.index)]
    both = left.index.intersection(right.index)
    for column in right.columns:
        for key, shown, worked in zip(both, left.loc[both, column], right.loc[both, column], strict=True):
            if not _same(shown, worked, decimals.get(column)):
                lines.append(f"{name_of(key)}: {column} published {_text(shown)} witness {_text(worked)}")
    return sorted(lines)


def _keyed(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    keyed = frame.set_index(keys)
    assert keyed.index.is_unique, f"two rows of one key: {keyed.index[keyed.index.duplicated()][0]}"
    return keyed


def _same(shown: object, worked: object, places: int | None) -> bool:
    if _empty(shown) or _empty(worked):
        return _empty(shown) and _empty(worked)
    if places is None:
        return shown == worked
    return abs(shown - worked) <= 0.5001 * 10**-places + 1e-13 * abs(worked)


def _empty(value: object) -> bool:
    return value is None or (not isinstance(value, (list, str)) and bool(pd.isna(value)))


def _text(value: object) -> str:
    return "empty" if _empty(value) else str(value)


def name_of(key: object) -> str:
    """How a line names a row."""
    parts = key if isinstance(key, tuple) else (key,)
    return ", ".join(str(p.date() if isinstance(p, pd.Timestamp) and p.tz is None else p) for p in parts)
