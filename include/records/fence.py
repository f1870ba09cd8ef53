"""One fence per run: a later run of a scope takes a higher number, and writes with an older one are refused there."""

from __future__ import annotations

from include.records.database import connect


def take_fence(url: str, scope: str) -> str:
    """The next fence of a scope as `<scope>:<number>`, the value of the session setting kaw.fence."""
    with connect(url) as connection:
        number = connection.execute(
            "insert into quality.fences (scope, fence) values (%s, 1)"
            " on conflict (scope) do update set fence = quality.fences.fence + 1 returning fence",
            (scope,),
        ).fetchone()[0]
    return f"{scope}:{number}"
