"""Crowds of entries of one clerk, department or office."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from include.contracts import Table, all_tables
from include.contracts.declarations import Crowd
from include.quality.crowding_rules import crowding_rule
from tests.rules.declared_faults.made import Fault, fault, rows_of, set_all, tables_with_rows
from tests.rules.declared_faults.own_days import at_column, in_force_edges
from tests.rules.staged import Staged

CROWDS = [  # rule, fault, columns told; the entries of one unit against those of the others
    (
        "CRD-mkt_app_stage",
        "handler_no = case when n % 3 = 0 then 'H1' else 'H2' end,"
        " end_at = case when n % 3 = 0 then date '2026-11-04' + time '23:59' else date '2026-11-04' + n * interval '7 minutes' end",
        {"end_at"},
    ),
    (
        "CRD-mkt_app_stage",
        "handler_no = case when n % 3 = 0 then 'H1' else 'H2' end, end_at = date '2026-11-04' + n * interval '7 minutes'",
        set(),
    ),
    (
        "CRD-mkt_app_stage",
        "handler_no = 'H1', end_at = date '2026-11-04' + time '23:59'",
        set(),
    ),  # nobody to compare with
    *(  # where a quarter has few entries the newest before it count too, up to 400 days
        (
            "CRD-mkt_app_stage",
            "handler_no = case when n % 3 = 0 then 'H1' else 'H2' end,"
            f" end_at = case when n % 3 = 0 then date '{day}' + time '23:59' else date '2026-11-04' + n * interval '7 minutes' end",
            columns,
        )
        for day, columns in (("2026-08-07", {"end_at"}), ("2025-10-02", {"end_at"}), ("2025-10-01", set()))
    ),
    *(  # so many old entries beside so many new ones: enough new ones leave the old to the year, of which 30 % may be alike
        (
            "CRD-mkt_app_stage",
            f"handler_no = case when n <= {old} + {recent} then 'H1' else 'H2' end,"
            f" end_at = case when n <= {old} then date '{day}' + time '23:59' else date '2026-11-04' + n * interval '7 minutes' end",
            columns,
        )
        for old, day, recent, columns in (
            (12, "2026-08-07", 18, {"end_at"}),
            (12, "2026-08-07", 30, set()),
            (14, "2026-08-07", 30, {"end_at"}),
            (14, "2025-10-02", 30, {"end_at"}),
            (14, "2025-10-01", 30, set()),
        )
    ),
    (
        "CRD-mkt_customer",
        "org_no = case when n <= 10 then 'O1' else 'O2' end,"
        " shift_mode = case when n <= 10 then '1' else 'S' || n end, factory_rest_day = 'SUN'",
        {"shift_mode"},
    ),
    (
        "CRD-mkt_customer",
        "org_no = case when n <= 10 then 'O1' else 'O2' end,"
        " shift_mode = case when n <= 6 then '1' else 'S' || n end, factory_rest_day = 'SUN'",
        set(),
    ),
    *(  # arrivals a minute before the promise (synthetic): twelve after 44 minutes, the others after 12 to 49; then each as often as any
        (
            "CRD-mkt_ticket",
            "dept_no = 'D07', ticket_type = 'FAULT', closed_at = null, accepted_at = timestamptz '2026-11-01 08:00+08',"
            f" arrived_at = timestamptz '2026-11-01 08:00+08' + ({minutes}) * interval '1 minute'",
            columns,
        )
        for minutes, columns in (
            ("case when n <= 12 then 44 else 12 + n::integer % 38 end", {"arrived_at"}),
            ("12 + n::integer % 38", set()),
        )
    ),
]


def crowd(rule_id: str, values: str) -> list[str]:
    """Statements that give the rows of a rule's table, numbered by n, their values."""
    table = all_tables()[rule_id.removeprefix("CRD-")]
    numbered = f"(select _raw_id, row_number() over (order by _raw_id) as n from {table.raw_name}) as numbered"
    fault = f"{set_all(table, values)} from {numbered} where {table.name}._raw_id = numbered._raw_id"
    return ["set local timezone = 'Asia/Shanghai'", fault]


_BEGIN = "timestamptz '2026-11-04 00:00+08'"


def _marks(table: Table, mark: str, columns: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Values of columns by which all entries have one mark, and by which those numbered by n have one each."""
    first, last = columns[0], columns[-1]
    if mark == "minuteOfDay":
        return [f"{first} = {_BEGIN} + interval '23 hours' - n * interval '1 day'"], [
            f"{first} = {_BEGIN} + n * interval '7 minutes'"
        ]
    if mark in ("minutesBetween", "secondsBetween"):
        unit = "minute" if mark == "minutesBetween" else "second"
        start = f"{first} = {_BEGIN}"
        return [start, f"{last} = {_BEGIN} + interval '999 {unit}'"], [
            start,
            f"{last} = {_BEGIN} + n * interval '1 {unit}'",
        ]
    if mark == "secondsSince":
        return [f"{first} = {_BEGIN} + n * interval '10 seconds'"], [
            f"{first} = {_BEGIN} + n * n * interval '1 second'"
        ]
    same, each = [], []
    for c in columns:
        kind = table.column(c).physical_type
        is_date = kind == "date"
        same.append(
            f"{c} = {'date ' if is_date else ''}'{'2026-11-04' if is_date else '7'}'"
            if is_date or kind == "text"
            else f"{c} = 999"
        )
        each.append(
            f"{c} = date '2026-11-04' - n::integer"
            if is_date
            else f"{c} = 'S' || n"
            if kind == "text"
            else f"{c} = n % 1000"
        )
    return same, each


def _limit(name: str, value: int) -> str:
    return f"update staging.quality_parameters set value = {value} where rule_id = 'CRD' and name = '{name}'"


def crowds(staged: Staged) -> Iterator[Fault]:
    """Of one unit all entries with one mark beside others with one each, and all with one each; of other kinds, old or to come."""
    for table in tables_with_rows(staged):
        for of in table.crowds:
            rows = rows_of(staged, table)
            if rows < 20:
                continue
            yield from _at_the_share(table, of)
            if not {*of.by} & {name for name, _ in of.where}:  # of one unit alone there is nobody to compare with
                yield from _of_units(table, of, min(12, rows // 2))


def _column(of: Crowd) -> str:
    return of.columns[-1] if of.mark.endswith("Between") else of.columns[0]


def _kinds(of: Crowd) -> list[str]:
    return [f"{name} = '{values[0]}'" for name, values in of.where if name not in of.by]


def _dates(table: Table, of: Crowd) -> list[str]:
    """The date of the entries, where it is no part of their mark."""
    return [f"{of.date} = {at_column(table, of.date, '2026-11-04')}"] if of.date and of.date not in of.columns else []


def _mixed(*choices: tuple[str, list[str]]) -> list[str]:
    """Values of which the first holds whose condition on n is true; the condition of the last is `else`."""
    columns = [value.partition(" = ")[0] for value in choices[0][1]]
    mixed = []
    for place, column in enumerate(columns):
        of_column = [(condition, values[place].partition(" = ")[2]) for condition, values in choices]
        chosen = " ".join(f"when {condition} then {value}" for condition, value in of_column[:-1])
        mixed.append(f"{column} = case {chosen} else {of_column[-1][1]} end")
    return mixed


def _at_the_share(table: Table, of: Crowd) -> Iterator[Fault]:
    """Of ten entries as many alike as their share, and one more, where nothing else counts; of nine and an old one."""
    share = int(of.share * 10)
    if share != of.share * 10:
        return
    rule, column, what = crowding_rule(replace(table, crowds=(of,))), _column(of), (table.name, of.what, *of.by)
    same, each = _marks(table, of.mark, of.columns)
    ten = 11 if of.mark == "secondsSince" else 10  # before the first there is none
    kinds = {name: values[0] for name, values in of.where}
    units = [f"{c} = case when n <= {ten} then '{kinds.get(c, 'U1')}' else 'U2' end" for c in of.by]
    others = ", ".join(f"{c} = 'U' || n" for c in of.by)
    apart = f"{crowd(rule.id, others)[1]} and n > {ten}"
    every = [_limit("level", 1000), _limit("least_crowd", 1), _limit("least_entries", 10)]

    def planted(marks: list[str], *values: str) -> list[str]:
        return [*every, *crowd(rule.id, ", ".join([*marks, *units, *_kinds(of), *values])), apart]

    for alike, told in ((share, set()), (share + 1, {column})):
        if (
            of.mark == "secondsSince"
        ):  # ten seconds after the one before; the others a quarter of an hour and more, each another time
            seconds = f"{_BEGIN} + (n * n + 1000 * n) * interval '1 second'"
            in_a_row = f"{_BEGIN} + (10 * n - 100000) * interval '1 second'"
            marks = _mixed((f"n <= {alike + 1}", [f"{column} = {in_a_row}"]), ("else", [f"{column} = {seconds}"]))
        else:
            marks = _mixed((f"n <= {alike}", same), ("else", each))
        yield fault((*what, "of ten", alike), rule, told, *planted(marks, *_dates(table, of)))
    if not of.date or of.mark == "secondsSince":
        return
    for at, enough, is_counted in (  # one apart, a quarter ago
        ("2026-08-08", 0, True),
        ("2026-08-07", 0, False),
        ("2026-08-07", 10, True),
        ("2026-08-07", 9, False),
    ):
        if of.date in of.columns:
            old = [one.replace("2026-11-04", at).replace(" - n::integer", "") for one in each]
            marks, dates = _mixed((f"n <= {share}", same), ("n = 10", old), ("else", each)), []
        else:
            kind = table.column(of.date).physical_type
            days = [[f"{of.date} = {kind} {at_column(table, of.date, day)}"] for day in (at, "2026-11-04")]
            marks = _mixed((f"n <= {share}", same), ("else", each))
            dates = _mixed(("n = 10", days[0]), ("else", days[1]))
        limits = [_limit("least_entries", 9), _limit("enough_entries", enough)]
        of_nine = [*planted(marks, *dates), *limits]
        yield fault((*what, "of nine", at, enough), rule, set() if is_counted else {column}, *of_nine)


def _of_units(table: Table, of: Crowd, size: int) -> Iterator[Fault]:
    """So many entries of one unit beside those of another."""
    rule, column, what = crowding_rule(replace(table, crowds=(of,))), _column(of), (table.name, of.what)
    units = [f"{c} = case when n <= {size} then 'U1' else 'U2' end" for c in of.by]
    kinds, dates = _kinds(of), _dates(table, of)
    same, each = _marks(table, of.mark, of.columns)

    def planted(of_unit: list[str], *values: str) -> list[str]:
        mixed = _mixed((f"n <= {size}", of_unit), ("else", each))
        return crowd(f"CRD-{table.name}", ", ".join([*mixed, *values]))

    exact = planted(same, *units, *kinds, *dates)
    yield fault((*what, "alike"), rule, {column}, *exact)
    yield fault((*what, "apart"), rule, set(), *planted(each, *units, *kinds, *dates))
    entries = size - (of.mark == "secondsSince")  # before the first there is none
    for limit in ("least_crowd", "least_entries"):
        for value, told in ((entries, {column}), (entries + 1, set())):
            yield fault((*what, limit, value), rule, told, _limit(limit, value), *exact)
    yield fault((*what, "level"), rule, set(), _limit("level", 0), *exact)
    if of.date in of.columns:
        for days_on, told in ((1, {column}), (2, set())):  # to the business date, and beyond it
            if of.mark == "minuteOfDay" and days_on == 2:
                days_on = 20  # those of one minute are of as many days
            on = [f"{c} = {c} + interval '{days_on} days'" for c in of.columns]
            yield fault((*what, "on", days_on), rule, told, *exact, set_all(table, on))
    if of.mark == "values" and len(of.columns) > 1:
        for place in range(len(of.columns)):
            one_apart = [*same[:place], each[place], *same[place + 1 :]]
            yield fault((*what, "apart in", place), rule, set(), *planted(one_apart, *units, *kinds, *dates))
    for what_day, is_told, values in in_force_edges(table) if table.in_force and not of.date else ():
        told = {column} if is_told else set()
        yield fault((*what, what_day), rule, told, *exact, set_all(table, values))
    for name, _ in of.where:
        yield fault((*what, "another kind"), rule, set(), *planted(same, *units, *dates, f"{name} = 'another'"))
    for name in of.by:
        empty = [
            *(u for u in units if not u.startswith(f"{name} =")),
            f"{name} = case when n <= {size} then ' ' else 'U2' end",
        ]
        yield fault((*what, "no unit"), rule, set(), *planted(same, *empty, *kinds, *dates))
    for at, told in (("2026-11-05", {column}), ("2026-11-06", set()), ("2025-10-02", {column}), ("2025-10-01", set())):
        if dates:
            day = [f"{of.date} = {at_column(table, of.date, at)}"]
            yield fault((*what, at), rule, told, *planted(same, *units, *kinds, *day))
