"""Sides of equations that differ, and what lies at their tolerance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from include.contracts import Reference, Table, all_tables
from include.contracts.declarations import Equation, names_in
from include.quality.equation_rules import equation_check, equation_rule
from include.quality.made_rules import of_kind
from include.quality.referred_rows import ReferredRows, is_as_of, reference_by
from include.quality.rules import Rule
from tests.rules.declared_faults.made import Fault, as_numbers, fault, rows_of, set_all, tables_with_rows
from tests.rules.declared_faults.own_days import as_of_days, in_force_edges, own_days, period_of
from tests.rules.staged import Staged


def equations(staged: Staged) -> Iterator[Fault]:
    """Far from what an equation states, in each of its kinds and in another; and at its tolerance, which passes, and beyond."""
    for table in tables_with_rows(staged):
        for equation in (e for e in table.equations if not e.rule):
            rule = equation_rule(replace(table, equations=(equation,)))
            column = equation_check(ReferredRows(table), equation).column
            is_time = table.column(column).physical_type in ("date", "timestamptz")
            grows = equation.relation == "=" or (column in equation.left) == (equation.relation == "<=")
            wide = [] if is_time else as_numbers(table, [column])
            own = {c.name for c in table.columns} - {column}
            others = [n for n in names_in(f"{equation.left} {equation.right}") if n in own]
            values = [f"{n} = coalesce({n}, 1)" for n in others if "numeric" in table.column(n).physical_type]
            far = "'1950-01-01'" if is_time else f"{'' if grows else '-'}987654321"
            what = (table.name, equation.name)
            yield fault(what, rule, {column}, *wide, set_all(table, [*values, f"{column} = {far}"]))
            for name, kinds in equation.where:
                another = "another" if table.column(name).physical_type == "text" else "-7"
                for kind in (*kinds, another):
                    planted = set_all(table, [*values, f"{column} = {far}", f"{name} = '{kind}'"])
                    yield fault((*what, kind), rule, set() if kind == another else {column}, *wide, planted)
            yield from _at_its_tolerance(table, rule, equation)
            far_off = [*wide, set_all(table, [*values, f"{column} = {far}"])]
            for name in {n.split(".")[0] for n in names_in(f"{equation.left} {equation.right}") if "." in n}:
                yield from _in_time(table, reference_by(table, name), rule, column, far_off, what)


def _in_time(
    table: Table, reference: Reference, rule: Rule, column: str, given: list[str], what: tuple
) -> Iterator[Fault]:
    """What is wrong against a row referred to is told while that is in force on the row's day, or the row itself today."""
    target = all_tables()[reference.target_table]
    if is_as_of(reference):
        for (first, last), of_target, is_in_force, _ in as_of_days(table):
            planted = (
                *given,
                set_all(table, own_days(table, first, last)),
                set_all(target, period_of(target, *of_target)),
            )
            yield fault(
                (*what, first, last, of_target), rule, {column} if is_in_force else set(), *planted, among={column}
            )
    elif table.in_force and not table.fact_date:
        for what_day, is_told, dates in in_force_edges(table):
            yield fault(
                (*what, what_day), rule, {column} if is_told else set(), *given, set_all(table, dates), among={column}
            )


# Equations that do not say what one column is, typed: (table, name) -> what is given, and values of a column that hold and that do not.
_PQ = ["p_kw = 3, q_kvar = 4"]  # 5 kVA
_NO_LINES = "delete from raw_marketing.mkt_bill_line"
_BILL = ["kwh_sharp = null, kwh_peak = null, kwh_flat = null, kwh_valley = null, kwh_deep = null, bill_no = bill_no"]
_RATES = [
    (31, "1", "16", "31", "31.2"),
    (30, "null", "16", "30", "31"),
    (15, "1", "null", "15", "31"),
]  # sharp, deep; 2 + 4 + 8 beside
EDGES: list[tuple[tuple[str, str], list[str], str, tuple[str, ...], tuple[str, ...]]] = [
    (
        ("met_it", "ct"),
        ["kind = 'CT', ratio_secondary = 1"],
        "ratio_primary",
        ("100.001", "99.999"),
        ("100.0015", "99.9985"),
    ),
    (
        ("met_it", "pt"),
        ["kind = 'PT', ratio_secondary = 1"],
        "ratio_primary",
        ("100.001", "99.999"),
        ("100.0015", "99.9985"),
    ),
    (
        ("met_register_freeze", "demand_month"),
        ["freeze_ts = '2026-11-01 00:00+08'"],
        "max_demand_ts",
        ("timestamptz '2026-11-01 00:00+08' - interval '46080 minutes'",),
        ("timestamptz '2026-11-01 00:00+08' - interval '46081 minutes'",),
    ),
    (("met_voltage_daily", "minutes"), ["under_min = 5, monitored_min = 15"], "over_min", ("10",), ("11",)),
    (
        ("met_voltage_daily", "rate"),
        ["over_min = 10, under_min = 5, monitored_min = 100"],
        "ok_rate",
        ("85",),
        ("85.02",),
    ),
    (("met_pq_sample", "power_factor"), [*_PQ, "i_a = null"], "pf", ("0.62", "0.58"), ("0.63", "0.57")),
    (
        ("met_pq_sample", "apparent_power"),
        [*_PQ, "u_a = 100, u_b = 100, u_c = 100, i_b = 0, i_c = 0, pf = null"],
        "i_a",
        ("56", "44", "327.67"),
        ("57", "43", "327.66"),
    ),
    *(
        (
            (
                ("met_pq_sample", "apparent_power"),
                [*_PQ, "u_a = 100, u_b = 100, u_c = 100, i_a = 0, i_b = 0, i_c = 0, pf = null", *given],
                column,
                (code,),
                ("200",),
            )
        )
        for column, code, given in (
            ("i_b", "327.67", []),
            ("i_c", "327.67", []),
            ("u_a", "327.67", ["i_a = 100"]),
            ("u_b", "327.67", ["i_b = 100"]),
            ("u_c", "327.67", ["i_c = 100"]),
            ("p_kw", "4915.05", []),
            ("q_kvar", "4915.05", []),
        )
    ),
    (("mkt_bill", "price"), [*_BILL, "kwh_total = 100"], "energy_charge", ("201",), ("201.6",)),
    (
        ("mkt_bill", "capacity"),
        [*_BILL, "energy_charge = 0, read_from = '2026-10-01', read_to = '2026-10-11'"],
        "kwh_total",
        ("36000",),
        ("36000.5",),
    ),
    (
        ("mkt_bill_line", "read"),
        ["kwh_billed = null, curr_reading = 110, prev_reading = 100, multiplier = 10"],
        "kwh_read",
        ("101", "99", "-101"),
        ("101.5", "98.5"),
    ),
    *(
        (
            ("mkt_bill_line", "billed"),
            [f"charge = null, kwh_read = 10, tran_loss_kwh = {t}, line_loss_kwh = {li}, add_sub_kwh = {a}"],
            "kwh_billed",
            (holds,),
            (fails,),
        )
        for t, li, a, holds, fails in (
            ("1", "2", "4", "17", "17.02"),
            ("null", "2", "4", "16", "17"),
            ("1", "null", "4", "15", "17"),
            ("1", "2", "null", "13", "17"),
        )
    ),
    *(
        (
            ("mkt_meter_install", name),
            [f"{of}_sharp = {sharp}, {of}_peak = 2, {of}_flat = 4, {of}_valley = 8, {of}_deep = {deep}"],
            f"{of}_total",
            (holds,),
            (fails,),
        )
        for name, of in (("rates", "install_reading"), ("rates_at_removal", "remove_reading"))
        for _, sharp, deep, holds, fails in _RATES
    ),
    (("mkt_violation", "price"), ["recover_kwh = 10, penalty_yuan = null"], "recover_yuan", ("200",), ("205",)),
    (
        ("mkt_manager_assessment", "weights"),
        [],
        "weight",
        ("case when {one} then 1.0001 else 0 end", "0.01"),
        (
            "case when {one} then 1.00015 else 0 end",
            "case when {one} and {first} then 1.1 else 0.01 end",
            "case when {one} and {last} then 1.1 else 0.01 end",
        ),
    ),
    (
        ("con_trade_settle", "price"),
        ["actual_mwh = 10, contract_mwh = null, deviation_mwh = null"],
        "settle_yuan",
        ("30001",),
        ("30001.6",),
    ),
]
BESIDE = {  # what is given in other tables
    "met_it": ["update raw_metering.met_measuring_point set ct_ratio = 100, pt_ratio = 100"],
    "mkt_bill": [_NO_LINES, "update raw_marketing.mkt_customer set contract_cap_kva = 100"],
}


def edges(staged: Staged) -> Iterator[Fault]:
    """The limits of equations that compare more than one column with its due, by hand."""
    for (name, equation_name), given, column, hold, fail in EDGES:
        table = all_tables()[name]
        if not rows_of(staged, table):
            continue
        (equation,) = [e for e in table.equations if e.name == equation_name]
        rule = equation_rule(replace(table, equations=(equation,)))
        told = equation_check(ReferredRows(table), equation).column
        one = f"dimension = (select min(dimension) from {table.raw_name})"
        first, last = (
            f"(manager_no, period) = (select manager_no, period from {table.raw_name} order by manager_no, period {way} limit 1)"
            for way in ("", "desc")
        )
        wide = [] if "_ts" in column else as_numbers(table, [column])
        for value in (*hold, *fail):
            planted = f"{column} = " + (value.format(one=one, first=first, last=last) if "{" in value else value)
            statements = [*BESIDE.get(name, []), *wide, *(set_all(table, one_set) for one_set in [*given, planted])]
            found = {told} if value in fail else set()
            yield fault((name, equation_name, column, value), rule, found, *statements)
    yield from _codes()


def _codes() -> Iterator[Fault]:
    """A code of an overflow counts while the seed says so, and one of the secondary side alone does not."""
    table = all_tables()["met_pq_sample"]
    rule = equation_rule(table)
    values = "p_kw = 3, q_kvar = 4, u_a = 100, u_b = 100, u_c = 100, i_a = {}, i_b = 0, i_c = 0, pf = null"
    for what, period, is_code in (
        ("from today", "valid_from = '2026-11-05'", True),
        ("until tomorrow", "valid_to = '2026-11-06'", True),
        ("from tomorrow", "valid_from = '2026-11-06'", False),
        ("until today", "valid_to = '2026-11-05'", False),
        ("of the secondary side", "scope = 'secondary'", False),
    ):
        stated = f"update staging.quality_overflow_codes set {period}"
        found = set() if is_code else {"i_a"}
        yield fault(
            ("code", what), rule, found, stated, *as_numbers(table, ["i_a"]), set_all(table, values.format("327.67"))
        )


def _at_its_tolerance(table: Table, rule: Rule, equation: Equation) -> Iterator[Fault]:
    """Of an equation that says what one column is, the column on either side of that, at the tolerance and a little beyond."""
    left, tolerance = equation.left, equation.tolerance
    if left not in {c.name for c in table.columns}:
        return  # typed cases
    right = in_sql(table, equation)
    kinds = [f"{name} = '{values[0]}'" for name, values in equation.where]
    whole = "int" in table.column(left).physical_type
    beyond = f"{tolerance} + {1 if whole and tolerance == int(tolerance) else '0.000001'}"
    own = [n for n in names_in(equation.right) if n in {c.name for c in table.columns}]
    filled = [f"{n} = coalesce({n}, 1)" for n in own if "numeric" in table.column(n).physical_type]
    before = [*as_numbers(table, [left]), *([set_all(table, filled)] if filled else [])]
    signs = {"=": "+-", "<=": "+", ">=": "-"}[equation.relation]
    for sign in signs:
        for step, told in ((str(tolerance), set()), (f"({beyond})", {left})):
            planted = set_all(table, [f"{left} = ({right}) {sign} {step}", *kinds]) + f" where ({right}) is not null"
            yield fault((table.name, equation.name, sign, step), rule, told, *before, planted)
    if equation.relation != "=":
        planted = set_all(table, [f"{left} = ({right}) {'-' if '+' in signs else '+'} 1000000", *kinds])
        yield fault((table.name, equation.name, "beside"), rule, set(), *before, planted)


def referred(table: Table, path: str) -> str:
    """SQL of a column of the row referred to by a row that is updated."""
    own, _, theirs = path.partition(".")
    reference = reference_by(table, own)
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    on = " and ".join(f"target.{t} = {table.name}.{o}" for o, t in pairs)
    return f"(select min(target.{theirs}) from {all_tables()[reference.target_table].raw_name} as target where {on})"


def in_sql(table: Table, equation: Equation) -> str:
    """The right side of an equation over rows of a table that is updated: columns, those of rows referred to, sums of children."""
    children = dict(equation.children)

    def value(found: re.Match) -> str:
        name, _, theirs = found[0].partition(".")
        if name == "minutes_between":
            return f"quality.{name}"
        if theirs:
            return referred(table, found[0])
        if name in children:
            child = children[name]
            of = all_tables()[child.table]
            reference = next(r for r in of.references if r.target_table == table.name)
            pairs = zip(reference.columns, reference.target_columns, strict=True)
            on = [f"child.{o} = {table.name}.{t}" for o, t in pairs]
            on += of_kind(child.where, "child")
            amount = f"sum(child.{child.sums})" if child.sums else "nullif(count(*), 0)"
            return f"(select {amount} from {of.raw_name} as child where {' and '.join(on)})"
        return f"{table.name}.{name}" if name in {c.name for c in table.columns} else name

    return re.sub(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?", value, equation.right)
