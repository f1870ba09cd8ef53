"""Days of rows: what a row has to be in force on a day or not, and the row in another place."""

from __future__ import annotations

from collections.abc import Iterator

from include.contracts import Table

Period = tuple[str, str | None]


def period_of(table: Table, first: str | None, last: str | None) -> list[str]:
    """Values of the first and the last day of a row, at noon where they are times."""
    pairs = zip(table.in_force, (first, last), strict=True)
    return [f"{column} = {at_column(table, column, value)}" for column, value in pairs]


def at_column(table: Table, column: str, value: str | None) -> str:
    kind = table.column(column).physical_type
    if value is None:
        return "null"
    return (
        f"'{value[:4]}{value[5:7]}'"
        if kind not in ("date", "timestamptz")
        else f"'{value} 12:00+08'"
        if kind == "timestamptz"
        else f"'{value}'"
    )


def as_of_days(table: Table) -> Iterator[tuple[Period, Period, bool, bool]]:
    """(own row, its target, is the target in force on the row's day, was it when the row began)."""
    is_month = table.fact_date and table.column(table.fact_date).physical_type not in ("date", "timestamptz")
    if is_month:
        day, before, after = "2026-11-01", "2026-10-31", "2026-11-02"
    else:
        day, before, after = "2026-11-05", "2026-11-04", "2026-11-06"
    if table.fact_date or table.in_force:
        own = (day, None) if table.fact_date else ("2020-01-01", None)
        yield own, (day, None), True, False
        yield own, (after, None), False, False
        yield own, ("2019-01-01", day), True, True
        yield own, ("2019-01-01", before), False, True
        yield own, (day, day), True, False
        yield own, (before, before), False, False
    if table.fact_date:  # what is in force today does not matter
        yield ("2026-06-01", None), ("2019-01-01", "2026-06-01"), True, True
        yield ("2026-06-01", None), ("2026-06-02", None), False, False
    elif table.in_force:  # the day before its end; the day of its beginning, where that is to come
        ended = ("2020-01-01", "2026-06-30")
        yield ended, ("2019-01-01", "2026-06-29"), True, True
        yield ended, ("2019-01-01", "2026-06-28"), False, True
        yield ended, ("2020-01-02", "2026-06-28"), False, False
        yield ("2026-12-01", None), ("2019-01-01", "2026-12-01"), True, True
        yield ("2026-12-01", None), ("2019-01-01", "2026-11-30"), False, False


def own_days(table: Table, first: str, last: str | None) -> list[str]:
    kinds = [f"{name} = '{another(table, name)}'" for name, _ in table.renews]
    return (
        [f"{table.fact_date} = {at_column(table, table.fact_date, first)}"]
        if table.fact_date
        else [*kinds, *period_of(table, first, last)]
    )


def in_force_edges(table: Table) -> Iterator[tuple[str, bool, list[str]]]:
    """Rows that begin or end today, and those that begin tomorrow or ended yesterday; the renewed ones go on after their end."""
    first, last = table.in_force
    kinds = [[f"{name} = '{values[0]}'" for name, values in table.renews]] if table.renews else []
    others = [
        [f"{n} = '{values[0] if n != name else another(table, n)}'" for n, values in table.renews]
        for name, _ in table.renews
    ]
    for what, told, begin, end in (
        ("begins today", True, "'2026-11-05'", "null"),
        ("begins tomorrow", False, "'2026-11-06'", "null"),
        ("ends today", True, "'2020-01-01'", "'2026-11-05'"),
        ("ended yesterday", False, "'2020-01-01'", "'2026-11-04'"),
    ):
        for place, kind in enumerate([*others, *kinds] or [[]]):
            is_renewed = bool(kinds) and place == len(others)
            yield (
                f"{what} {kind}",
                told or (is_renewed and "yesterday" in what),
                [*kind, f"{first} = {begin}", f"{last} = {end}"],
            )


def another(table: Table, column: str) -> str:
    return "false" if table.column(column).physical_type == "boolean" else "another"
