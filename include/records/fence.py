"""One fence per run: a later run of a scope takes a higher number, and writes with an older one are refused there."""

from __future__ import annotations

from include.records.database import connect
from include.records.warehouse import Warehouse


def take_fence(place: str | Warehouse, scope: str) -> str:
    """The next fence of a scope as `<scope>:<number>`, the value of the session setting kaw.fence.

    What earlier attempts of the scope left is put out; where that may not be and one that stopped holds the fence, waiting
    ends after 50 seconds with psycopg.errors.LockNotAvailable.
    """
    with connect(place) as connection:
        (number,) = connection.execute("select quality.take_fence(%s)", [scope]).fetchone()
    return f"{scope}:{number}"
