"""Faults made from what the contracts declare: (rule of the declaration alone, statements, columns that it must tell).

They change all rows, or one for each column, of the clean utility (synthetic), so that no declaration can be dead: beside what a rule
must tell stands what it must not, one step away. The tests of the rules ask them, and the mutants of rules and declarations are
judged by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations

from include.contracts import Column, Reference, Table, all_tables
from include.contracts.declarations import ALWAYS, FILLED, NEVER, Equation, names_in
from include.contracts.meanings import DAY, MEANINGS, NUMBER, TEXT, TIME
from include.quality.condition_rules import condition_rule
from include.quality.copy_rules import copy_rule
from include.quality.crowding_rules import crowding_rule
from include.quality.equation_rules import equation_check, equation_rule
from include.quality.made_rules import of_kind
from include.quality.meaning_rules import meaning_rule
from include.quality.period_rules import period_rule
from include.quality.reference_rules import reference_rule
from include.quality.referred_rows import ReferredRows, is_as_of, reference_by
from include.quality.repeat_rules import repeat_rule
from include.quality.rules import Rule
from include.quality.sharing_rules import sharing_rule
from include.quality.time_rules import time_rule
from include.transform.models import staging_relation
from tests.rules.base_faults import again
from tests.rules.staged import Staged

BUSINESS_DATE = date(2026, 11, 5)


@dataclass(frozen=True)
class Fault:
    """What is done, and which columns the rule of the declaration alone then tells, of all columns or of those that are meant.

    `words` are what it says to expect of each column.
    """

    what: tuple
    rule: Rule
    statements: tuple[str, ...]
    columns: frozenset[str]
    among: frozenset[str] | None = None
    words: dict[str, str] = field(default_factory=dict)


def fault(
    what: tuple, rule: Rule, columns: set[str], *statements: str, among: set[str] | None = None, **given
) -> Fault:
    return Fault(what, rule, statements, frozenset(columns), None if among is None else frozenset(among), **given)


def rows_of(staged: Staged, table: Table) -> int:
    return staged.connection.execute(f"select count(*) from {table.raw_name}").fetchone()[0]


def tables_with_rows(staged: Staged) -> list[Table]:
    return [table for table in all_tables().values() if rows_of(staged, table)]


def set_all(table: Table, values: list[str] | str) -> str:
    return f"update {table.raw_name} set {values if isinstance(values, str) else ', '.join(values)}"


def set_each(table: Table, values: dict[str, str]) -> str:
    """Each column in a row of its own, as far as there are rows, so that nothing else in the row tells of it."""
    columns = list(values)
    rows = f"(select _raw_id, row_number() over (order by {', '.join(table.key)}, _raw_id) - 1 as n, count(*) over () as rows from {table.raw_name})"
    chosen = ", ".join(
        f"{c} = case when n = {place} % rows then {values[c]} else {c} end" for place, c in enumerate(columns)
    )
    return f"{set_all(table, chosen)} from {rows} as numbered where {table.name}._raw_id = numbered._raw_id and n < {len(columns)}"


def as_numbers(table: Table, columns: list[str]) -> list[str]:
    """So that a value beside a limit of the source's type can be planted."""
    altered = ", ".join(f"alter {column} type numeric" for column in columns)
    return [f"alter table {table.raw_name} {altered}"] if altered else []


def alone(table: Table, **kept) -> Table:
    """A table that declares only what is kept: no identity, no total relation of others."""
    return replace(table, columns=tuple(replace(column, identity=None) for column in table.columns), **kept)


def apart(table: Table, column: str) -> str:
    """SQL of a value of a column that no other row has."""
    kind = table.column(column).physical_type
    if kind == "date":
        return "date '2000-01-01' + _raw_id::integer"
    if kind == "timestamptz":
        return "timestamptz '2020-01-01 00:00+08' + _raw_id * interval '1 second'"
    return "_raw_id" if kind.startswith(("numeric", "integer", "smallint")) else "'A' || _raw_id"


# -- meanings


def day(bound: str) -> date:
    """A plausible day as it is typed in a contract, on the business date of these tests."""
    if not bound.startswith("business_date"):
        return date.fromisoformat(bound)
    _, count, unit = bound.removeprefix("business_date ").split()
    return (
        BUSINESS_DATE + timedelta(days=int(count)) if unit == "days" else BUSINESS_DATE.replace(year=2026 + int(count))
    )


def ranges(staged: Staged) -> Iterator[Fault]:
    """Every number at its ends, which pass, and one step outside them; those that another rule judges are never told."""
    for table in tables_with_rows(staged):
        columns = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind == NUMBER and not c.allowed]
        columns = [c for c in columns if any(c.plausible)]
        if not columns:
            continue
        rule = meaning_rule(table)
        judged = {c.name for c in columns if "range" not in dict(c.judged_by)}
        for end, sign in enumerate("-+"):
            for is_outside in (False, True):
                values = {c.name: f"{c.plausible[end]} {sign} {_step(c) if is_outside else 0}" for c in columns}
                statements = (*as_numbers(table, [*values]), set_each(table, values))
                yield fault((table.name, sign, is_outside), rule, judged if is_outside else set(), *statements)


def _step(column: Column) -> str:
    return "1" if "int" in column.physical_type else "0.0001"


def days(staged: Staged) -> Iterator[Fault]:
    """The first and the last day that can be pass, one day outside fails, in the morning and late at night alike."""
    for table in tables_with_rows(staged):
        columns = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind in (DAY, TIME) and any(c.plausible)]
        if not columns:
            continue
        judged = {c.name for c in columns if "range" not in dict(c.judged_by)}
        for end, step, hour in ((0, -1, "00:00"), (1, 1, "23:59")):
            for is_outside in (False, True):
                at = {c.name: day(c.plausible[end]) + timedelta(days=step * is_outside) for c in columns}
                values = {
                    c.name: f"'{at[c.name]}'" if MEANINGS[c.meaning].kind == DAY else f"'{at[c.name]} {hour}+08'"
                    for c in columns
                }
                told = judged if is_outside else set()
                yield fault((table.name, end, is_outside), meaning_rule(table), told, set_each(table, values))


PLACEHOLDER = "a value, not a placeholder"
READABLE, NOT_REWRITTEN = "readable characters", "a number that no spreadsheet has rewritten or readable characters"
# Meaning -> a value in its format, one that is not, and what is then expected.
TEXT_VALUES = {
    "account_no": ("0310000001", "031", "10, 13 or 16 digits"),
    "credit_code": ("91310101MA1508372X", None, ""),
    "address": ("合成路1号", "2026", "an address with letters"),
    "mobile_number": ("13912345678", "139", "11 digits from 13 to 19"),
    "bank_account_no": ("62220001", "6222000", "8 or more digits"),
    "document_no": ("HT〔2026〕1", "HT 1", "letters and digits"),
    "equipment_no": ("E/1#2", "E 1", "letters and digits"),
    "meter_asset_no": ("A12345", "A1234", "6 or more letters and digits"),
    "metering_point_no": ("A12345", "A1234", "6 or more letters and digits"),
    "settlement_account_no": ("A12345", "A1234", "6 or more letters and digits"),
    "organisation_no": ("O1", "O", "2 or more letters and digits"),
    "staff_no": ("S_1", "S", "2 or more letters and digits"),
    "tax_no": ("91310101MA1508X", "91310101MA1508XY", "15 digits or capitals or 17 to 20 digits or capitals"),
    "industry_code": ("C31", "U", "a letter and 2 to 4 digits or one letter"),
    "organisation_name": ("合成甲", "2026", "a name with letters"),
    "person_name": ("合成甲", "2026", "a name with letters"),
    "phone_number": (
        "400-123-4567",
        "2000",
        "a 400 or 800 number or a local number of 7 or 8 digits or a mobile number or a short number or area code and number",
    ),
    "email": ("a@example.com", "a@b", "name@domain"),
    "month": ("202612", "202613", "a month YYYYMM"),
    "free_text": ("2026", None, ""),
    "remark": ("2026", None, ""),
    "label": ("2026", None, ""),
    "tariff_code": ("2026", None, ""),
}
NUMBERS = {
    "bank_account_no",
    "document_no",
    "equipment_no",
    "meter_asset_no",
    "metering_point_no",
    "settlement_account_no",
    "organisation_no",
    "staff_no",
    "tax_no",
    "industry_code",
}
NAMES, CODES = {"organisation_name", "person_name"}, {"remark", "label", "tariff_code"}
NO_DOCUMENT = NUMBERS - {"document_no"}  # Chinese characters are in the numbers of documents
# Value -> the meanings of which it is a placeholder, those in whose format it is not, and those of which it is no readable text.
TEXTS = {
    "无": (NUMBERS | NAMES | {"free_text", "phone_number", "email"}, {"month"}, set()),
    "不详": (NUMBERS | NAMES | CODES | {"free_text", "phone_number", "email"}, {"month"}, set()),
    "0000": (NUMBERS, NAMES | {"phone_number", "email", "month"}, set()),
    "张三": ({"person_name"}, NO_DOCUMENT | {"phone_number", "email", "month"}, set()),
    "TEST": (NUMBERS | NAMES | CODES | {"free_text", "phone_number"}, {"email", "month"}, set()),
    "asdf": ({"free_text"}, {"bank_account_no", "meter_asset_no", "metering_point_no", "settlement_account_no", "tax_no"}
        | {"industry_code", "phone_number", "email", "month"}, set()),
    "88888888": ({"phone_number"}, NAMES | {"tax_no", "industry_code", "email", "month"}, set()),
    "6.22E+18": (set(), {"phone_number", "email", "month"}, NUMBERS),
    "高\ufffd": (set(), set(), {*TEXT_VALUES}),
}  # fmt: skip


def text_columns(table: Table) -> list[Column]:
    """The columns whose texts are judged: no listed codes, and no numbers of rows that they refer to."""
    referring = {column for reference in table.references for column in reference.columns}
    texts = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind == TEXT]
    return [c for c in texts if not c.allowed and c.name not in referring]


def texts(staged: Staged) -> Iterator[Fault]:
    for table in tables_with_rows(staged):
        columns = [c for c in text_columns(table) if c.meaning in TEXT_VALUES]
        if not columns:
            continue
        good = {c: TEXT_VALUES[c.meaning][0] for c in columns}
        bad = {c: TEXT_VALUES[c.meaning][1] for c in columns if TEXT_VALUES[c.meaning][1]}
        cases = [("in format", good, {}), ("not in format", bad, {c: TEXT_VALUES[c.meaning][2] for c in bad})]
        for value, (placeholder, no_format, unreadable) in TEXTS.items():
            told = {}
            for c in columns:
                if c.meaning in placeholder:
                    told[c] = PLACEHOLDER
                elif c.meaning in unreadable:
                    told[c] = NOT_REWRITTEN if c.meaning in NUMBERS else READABLE
                elif c.meaning in no_format:
                    told[c] = TEXT_VALUES[c.meaning][2]
            fits = [c for c in columns if c.meaning != "month" or len(value) <= 6]
            cases.append((value, dict.fromkeys(fits, value), {c: said for c, said in told.items() if c in fits}))
        for what, values, told in cases:
            words = {
                c.name: said
                for c, said in told.items()
                if ("placeholder" if said == PLACEHOLDER else "format") not in dict(c.judged_by)
            }
            if values:
                planted = set_each(table, {c.name: f"'{value}'" for c, value in values.items()})
                yield fault((table.name, what), meaning_rule(table), {*words}, planted, words=words)


SEEDS = ("quality_placeholders", "quality_formats", "quality_default_dates")


def seeds(staged: Staged) -> Iterator[Fault]:
    """What a seed states counts from its first day on and no more on its end; a listed day not where it is allowed."""
    for table in tables_with_rows(staged):
        columns = [c for c in text_columns(table) if c.meaning in TEXT_VALUES]
        of_days = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind in (DAY, TIME)]
        of_days = [c for c in of_days if "range" not in dict(c.judged_by)]
        impossible = {c.name for c in of_days if day(c.plausible[0]) > date(2000, 1, 1)}
        rule, every_day = meaning_rule(table), {c.name for c in of_days}
        for value, judgement in ((None, "format"), ("不详", "placeholder"), ("高\ufffd", "format")):
            texts = {c.name: value or TEXT_VALUES[c.meaning][1] for c in columns}
            told = {c.name for c in columns if judgement not in dict(c.judged_by) and texts[c.name]}
            values = {name: f"'{said}'" for name, said in texts.items() if said} | dict.fromkeys(
                every_day, "'2000-01-01'"
            )
            if not values:
                continue
            planted = set_each(table, values)
            for what, period, is_stated in (
                ("from today", "valid_from = '2026-11-05'", True),
                ("until tomorrow", "valid_to = '2026-11-06'", True),
                ("from tomorrow", "valid_from = '2026-11-06'", False),
                ("until today", "valid_to = '2026-11-05'", False),
            ):
                stated = [f"update staging.{seed} set {period}" for seed in SEEDS]
                found = told | every_day if is_stated else impossible
                yield fault((table.name, value, what), rule, found, planted, *stated)
        if every_day:
            allowed = " ".join(f"{table.name}.{name}" for name in every_day)
            stated = f"update staging.quality_default_dates set allowed_in = 'another.column {allowed}'"
            default = set_each(table, dict.fromkeys(every_day, "'2000-01-01'"))
            yield fault((table.name, "allowed"), rule, impossible, default, stated)


# -- orders of times


def orders(staged: Staged) -> Iterator[Fault]:
    """Every pair of an order alone, and every column of a chain far from its place."""
    for table in tables_with_rows(staged):
        for order in (o for o in table.order if not o.rule):
            rule = time_rule(replace(table, order=(order,)))
            for earlier, later in combinations(order.columns, 2):
                if "." in later or earlier.startswith("reopen_of."):
                    continue  # the row referred to is of the same table and would change too: a typed case
                every = dict.fromkeys(c for o in table.order for c in o.columns if "." not in c)
                others = [f"{c} = null" for c in every if c not in (earlier, later)]
                if "." in earlier:
                    what = (table.name, earlier, later)
                    far = set_all(table, [*others, f"{later} = '1951-02-01'"])
                    yield fault(what, rule, {later}, far)
                    at = referred(table, earlier)
                    if table.column(later).physical_type == "timestamptz" and "_at" in earlier:
                        step = "interval '1 second'"
                    else:  # a day counts whole
                        at, step = f"({at})::date", "1"
                    for value, told in ((at, set()), (f"{at} - {step}", {later})):
                        yield fault((*what, value), rule, told, set_all(table, [*others, f"{later} = {value}"]))
                    continue
                pairs = [("2026-02-02", "2026-02-01", True), ("2026-02-01", "2026-02-01", False)]
                if {table.column(c).physical_type for c in (earlier, later)} == {"timestamptz"}:
                    at = f"10:{order.tolerance_minutes:02d}"
                    pairs += [(f"2026-02-01 {at}:0{second}+08", "2026-02-01 10:00+08", second > 0) for second in (0, 1)]
                elif table.column(earlier).physical_type == "date":  # a day counts whole, where it is
                    pairs.append(("2026-02-01", "2026-02-01 00:00+08", False))
                    pairs.append(("2026-02-02", "2026-02-01 23:59+08", True))
                for first, second, is_told in pairs:
                    planted = set_all(table, [*others, f"{earlier} = '{first}'", f"{later} = '{second}'"])
                    yield fault((table.name, earlier, later, first), rule, {later} if is_told else set(), planted)
            yield from _strays(table, rule, order.columns)


def _strays(table: Table, rule: Rule, columns: tuple[str, ...]) -> Iterator[Fault]:
    """One column of a chain before or after all others. It disagrees with each that it passed; of two that disagree the later is told."""
    if any("." in c for c in columns):
        return
    last = len(columns) - 1
    in_order = {c: f"2026-02-{place + 2:02d}" for place, c in enumerate(columns)}
    yield fault((table.name, columns), rule, set(), set_all(table, [f"{c} = '{at}'" for c, at in in_order.items()]))
    for place, column in enumerate(columns):
        passed_before, passed_after = place, last - place
        told_after = {column} if passed_after > 1 else {columns[last]} if passed_after else set()
        for at, told in (("2026-01-01", {column} if passed_before else set()), ("2026-03-01", told_after)):
            planted = set_all(table, [f"{c} = '{when}'" for c, when in (in_order | {column: at}).items()])
            yield fault((table.name, columns, column, at), rule, told, planted)


# -- equations


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
        for (first, last), of_target, is_in_force, _ in _days(table):
            planted = (
                *given,
                set_all(table, _own_days(table, first, last)),
                set_all(target, _period(target, *of_target)),
            )
            yield fault(
                (*what, first, last, of_target), rule, {column} if is_in_force else set(), *planted, among={column}
            )
    elif table.in_force and not table.fact_date:
        for what_day, is_told, dates in _in_force(table):
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


# -- conditions


def conditions(staged: Staged) -> Iterator[Fault]:
    """All rows get what the condition asks about, and then what it forbids; and with what it asks about taken away, nothing."""
    for table in tables_with_rows(staged):
        for condition in table.conditions:
            rule = condition_rule(replace(table, conditions=(condition,)))
            column = table.column(condition.column)
            some = "'2020-01-01'" if column.physical_type in ("date", "timestamptz") else "'7'"
            what = (table.name, condition.column, condition.be)
            given = [f"{name} = {_filled(table, name)}" for name in condition.given]
            empty = {"null", "' '"} if column.physical_type == "text" else {"null"}
            wrong, right = (empty, {some}) if condition.be == FILLED else ({some}, empty)
            if isinstance(condition.be, tuple):
                right = right | {f"'{value}'" for value in condition.be}
            kinds = [[f"{name} = '{value}'"] for name, values in condition.where for value in values]
            for kind in kinds or [[]]:
                for value in sorted(wrong | right):
                    planted = set_all(table, [*kind, *given, f"{column.name} = {value}"])
                    yield fault((*what, *kind, value), rule, {column.name} if value in wrong else set(), planted)
            for name in [*(n for n, _ in condition.where), *condition.given]:
                other = "'another'" if condition.where else "null"
                planted = set_all(table, [f"{name} = {other}", f"{column.name} = {min(wrong)}"])
                yield fault((*what, "another", name), rule, set(), planted)


def _filled(table: Table, name: str) -> str:
    kind = table.column(name).physical_type
    return "'2020-01-01'" if kind in ("date", "timestamptz") else "'7'"


# -- periods


def periods(staged: Staged) -> Iterator[Fault]:
    """Two rows of one thing in force from one day on: the end of the first is told; a day between them only where none may be."""
    for table in tables_with_rows(staged):
        for period in table.periods:
            rule = period_rule(replace(table, periods=(period,)))
            first, last = table.in_force
            two = f"select _raw_id, row_number() over (order by _raw_id) as place from {table.raw_name} limit 2"
            from_two = f"from ({two}) as two where raw._raw_id = two._raw_id"
            alike = [f"{name} = 'alike'" for name in period.by] + [f"{n} = '{values[0]}'" for n, values in period.where]
            places = "case place when 1 then date '2020-01-01' else date '2021-01-01' end"

            def planted(
                end: str, *values: str, of_next: str = "null", t=table, f=first, la=last, w=from_two, p=places
            ) -> str:
                dated = f"{f} = {p}, {la} = case place when 1 then date '{end}' else {of_next} end"
                return f"update {t.raw_name} as raw set {', '.join([dated, *values])} {w}"

            gap = {first} if period.is_gapless else set()
            for end, told in (
                ("2021-01-02", {last}),
                ("2021-01-01", set()),
                ("2020-12-31", set()),
                ("2020-12-30", gap),
            ):
                yield fault((table.name, end), rule, told, planted(end, *alike))
            for of_next, told in (
                ("2021-01-01", {last}),
                ("2020-12-31", set()),
            ):  # of a day, and one that ends before it begins
                next_one = planted("2021-01-02", *alike, of_next=f"date '{of_next}'")
                yield fault((table.name, "the next", of_next), rule, told, next_one)
            for name in period.by:
                others = [f"{n} = 'alike'" for n in period.by if n != name]
                values = [*alike[len(period.by) :], *others, f"{name} = 'of ' || place"]
                yield fault((table.name, "of another", name), rule, set(), planted("2021-01-02", *values))
            for name, _ in period.where:
                values = [f"{n} = 'alike'" for n in period.by] + [f"{name} = 'another'"]
                yield fault((table.name, "of another", name), rule, set(), planted("2021-01-02", *values))


# -- references


def references(staged: Staged) -> Iterator[Fault]:
    """Numbers that lead nowhere, targets that are not in force, columns that differ from the target's, rows that name themselves."""
    for table in tables_with_rows(staged):
        whole, across = reference_rule(table), {r.columns[0] for r in table.references if r.is_cross_system}
        for reference in table.references:
            own, what = reference.columns[0], (table.name, *reference.columns, reference.target_table)
            target = all_tables()[reference.target_table]
            bare = replace(reference, agrees=(), is_cross_system=False, match="whole")
            nowhere = set_all(table, f"{own} = 'no such row'")
            if reference.is_cross_system:
                rule = reference_rule(alone(table, references=(replace(bare, is_cross_system=True),)))
                yield fault(what, rule, {own}, nowhere, among={own})
                yield fault((*what, "empty"), rule, set(), set_all(table, f"{own} = null"), among={own})
            elif whole and not table.column(own).identity and own not in across:  # inside a system another rule tells
                yield fault((*what, "inside"), whole, set(), nowhere, among={own})
            if target is table and len(reference.columns) == 1:
                rule = reference_rule(alone(table, references=(bare,)))
                yield fault(
                    (*what, "itself"),
                    rule,
                    {own},
                    set_all(table, f"{own} = {reference.target_columns[0]}"),
                    among={own},
                )
            if target is table:
                continue  # the row referred to would change too
            if is_as_of(reference):
                yield from _as_of(table, reference)
            elif whole and target.in_force:
                over = set_all(target, _period(target, "1950-01-01", "1950-01-02"))
                yield fault((*what, "over"), whole, set(), over, among={own})
            for mine, theirs in reference.agrees:
                if table.name != "con_amendment":  # no amendment by application here
                    yield from _agreement(table, reference, mine, theirs)
        for reference in table.references_by_kind:
            yield from _by_kind(table, reference)


def _period(table: Table, first: str | None, last: str | None) -> list[str]:
    """Values of the first and the last day of a row, at noon where they are times."""
    pairs = zip(table.in_force, (first, last), strict=True)
    return [f"{column} = {_at(table, column, value)}" for column, value in pairs]


def _at(table: Table, column: str, value: str | None) -> str:
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


Period = tuple[str, str | None]


def _days(table: Table) -> Iterator[tuple[Period, Period, bool, bool]]:
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


def _own_days(table: Table, first: str, last: str | None) -> list[str]:
    kinds = [f"{name} = '{_another(table, name)}'" for name, _ in table.renews]
    return (
        [f"{table.fact_date} = {_at(table, table.fact_date, first)}"]
        if table.fact_date
        else [*kinds, *_period(table, first, last)]
    )


def _as_of(table: Table, reference: Reference) -> Iterator[Fault]:
    """A row whose target is not in force on its day is told at its reference, or where it outlives the target at its end."""
    target, own = all_tables()[reference.target_table], reference.columns[0]
    rule = reference_rule(alone(table, references=(replace(reference, agrees=(), is_cross_system=False),)))
    for (first, last), of_target, is_in_force, was_in_force in _days(table):
        told = set() if is_in_force else {own}
        if told and was_in_force and last:
            told = {table.in_force[1]}
        planted = (set_all(table, _own_days(table, first, last)), set_all(target, _period(target, *of_target)))
        among = {own, *(table.in_force or ())}
        yield fault((table.name, own, target.name, first, last, of_target), rule, told, *planted, among=among)


_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def _agreement(table: Table, reference: Reference, own: str, theirs: str) -> Iterator[Fault]:
    """A column that differs is told, but not in its spelling, nor a number that leads nowhere, nor against a target not in force."""
    others = [r for r in table.references if r is not reference]
    silent = [
        replace(r, agrees=(), is_cross_system=False, match="whole") for r in others
    ]  # they say which numbers are known
    only = replace(reference, agrees=((own, theirs),), is_cross_system=False)
    rule = reference_rule(alone(table, references=(*silent, only)))
    target = all_tables()[reference.target_table]
    column = own if "." not in own else reference.columns[0]
    another = f"(select max({column}) from {table.raw_name})" if "_no" in column else "'X'"
    if column == "uscc":
        another = "'91310101MA1508372X'"
    if column == "parent_mp_no":
        another = f"(select min(mp_no) from {table.raw_name})"
    what, differing = (table.name, own, theirs), set_all(table, f"{column} = {another}")
    yield fault(what, rule, {column}, differing, among={column})
    if target.column(theirs).physical_type == "text" and "." not in own:
        spelled = f"lower(translate({own}, '0123456789', '{'0123456789'.translate(_FULL_WIDTH)}'))"
        yield fault((*what, "spelled"), rule, set(), set_all(table, f"{own} = {spelled}"), among={own})
    for of, name, where in ((table, own, "mine"), (target, theirs, "theirs")):
        is_number = "." not in name and any(name in r.columns for r in of.references)
        if is_number or name == "uscc":
            nowhere = set_all(of, f"{name} = 'no such row'")
            yield fault((*what, where, "nowhere"), rule, set(), nowhere, among={column})
    names_itself = {r.columns[0] for r in table.references if r.target_table == table.name}
    if is_as_of(reference) and column not in {reference.columns[0], *names_itself}:
        for (first, last), of_target, is_in_force, _ in _days(table):
            planted = (
                differing,
                set_all(table, _own_days(table, first, last)),
                set_all(target, _period(target, *of_target)),
            )
            told = {column} if is_in_force else set()
            yield fault((*what, first, last, of_target), rule, told, *planted, among={column})


def _by_kind(table: Table, reference: Reference) -> Iterator[Fault]:
    """A number of a kind that leads nowhere, an empty one, one of another kind; and one whose target differs."""
    rule = reference_rule(alone(table, references=(), references_by_kind=(reference,)))
    own, target = reference.columns[0], all_tables()[reference.target_table]
    what = (table.name, own, target.name)
    for name, (kind, *_) in reference.where:
        for other, value, told in (
            (kind, "'no such row'", {own}),
            (kind, "null", set()),
            ("another", "'no such row'", set()),
        ):
            yield fault((*what, other, value), rule, told, set_all(table, f"{name} = '{other}', {own} = {value}"))
        one = f"(select min({reference.target_columns[0]}) from {target.raw_name})"
        yield fault(
            (*what, kind, "known"),
            rule,
            set(),
            set_all(table, f"{name} = '{kind}', {own} = {one}"),
            among=set() if reference.agrees else {own},
        )
        for mine, theirs in reference.agrees:
            its = f"(select min({theirs}) from {target.raw_name} where {reference.target_columns[0]} = {one})"
            for value, told in ((its, set()), ("'X'", {own})):
                planted = set_all(table, f"{name} = '{kind}', {own} = {one}, {mine} = {value}")
                yield fault((*what, mine, value), rule, told, planted)


def totals(staged: Staged) -> Iterator[Fault]:
    """Rows that nobody names any more; of those that must be named, and in force."""
    for other in all_tables().values():
        for reference in (r for r in other.references if r.is_total):
            target, own = all_tables()[reference.target_table], reference.target_columns[0]
            nobody, rule = f"delete from {other.raw_name}", reference_rule(target)
            what = (other.name, target.name)
            yield fault(what, rule, {own}, nobody, among={own})
            every = [
                r for t in all_tables().values() for r in t.references if r.is_total and r.target_table == target.name
            ]
            bare = reference_rule(alone(target, references=(), references_by_kind=()))
            for name, values in reference.total_where if len(every) == 1 else ():
                for value in (*values, "another"):
                    told = set() if value == "another" else {own}
                    yield fault((*what, value), bare, told, nobody, set_all(target, f"{name} = '{value}'"))
            for what_day, is_told, values in _in_force(target) if target.in_force else ():
                told = {own} if is_told else set()
                yield fault((*what, what_day), bare, told, nobody, set_all(target, values), among={own})


def identities(staged: Staged) -> Iterator[Fault]:
    """All rows have one value of an identity, or only two; then one holder, or one payer; and then they are not in force."""
    for table in tables_with_rows(staged):
        for column in table.columns:
            identity = column.identity
            if identity is None or identity.rule or rows_of(staged, table) < 2:
                continue
            what, own = (table.name, column.name), column.name
            same = set_all(table, f"{own} = 'one and the same'")
            if identity.shared == ALWAYS:
                repeated = {mine for r in table.references for mine, _ in r.agrees}
                if own not in repeated and (whole := reference_rule(table)):
                    yield fault((*what, "always"), whole, set(), same, among={own})
                continue
            silent = tuple(replace(r, agrees=(), is_cross_system=False, match="whole") for r in table.references)
            bare = alone(table, references=silent, references_by_kind=())
            others = tuple(replace(c, identity=identity) if c.name == own else c for c in bare.columns)
            rule = reference_rule(replace(bare, columns=others))
            among = {own}
            yield fault(what, rule, {own}, same, among=among)
            apart_from = [f"{c} = {apart(table, c)}" for c in (own, *identity.holder)]
            two = f"{same} where _raw_id in (select _raw_id from {table.raw_name} order by _raw_id limit 2)"
            began = [set_all(table, _period(table, "2020-01-01", None))] if table.in_force else []
            yield fault((*what, "two"), rule, {own}, set_all(table, apart_from), *began, two, among=among)
            if own not in {
                c
                for t in all_tables().values()
                for r in t.references
                if r.is_total and r.target_table == table.name
                for c in r.target_columns
            }:
                one = [f"{c} = (select min({c}) from {table.raw_name})" for c in identity.holder]
                yield fault((*what, "one holder"), rule, set(), same, set_all(table, one), among=among)
                yield fault((*what, "empty"), rule, set(), set_all(table, f"{own} = ' '"), among=among)
            one_payer = "update raw_marketing.mkt_account set payer_name = 'P1'"
            if table.name != "mkt_account":
                told = {own} if identity.shared == NEVER else set()
                yield fault((*what, "one payer"), rule, told, same, one_payer, among=among)
            for what_day, is_told, values in _in_force(table) if table.in_force else ():
                told = {own} if is_told else set()
                yield fault((*what, what_day), rule, told, set_all(table, [*apart_from, *values]), same, among=among)


# -- copies


def copies(staged: Staged) -> Iterator[Fault]:
    for table in tables_with_rows(staged):
        identity, number, raw = table.record_identity, table.key[0], table.raw_name
        if identity is None or identity.rule:
            continue
        first = identity.columns[0]
        row = f"(select min(_raw_id) from {raw})"
        once_more = (
            [again(relation, row) for relation in (staging_relation(table), raw)] if rows_of(staged, table) < 2 else []
        )
        one = f"select * from {raw} where {first} is not null order by _raw_id limit 1"
        if staged.connection.execute(one).fetchone() is None:
            continue
        rule = copy_rule(table)
        keys = [f"{c} = {apart(table, c)}" for c in table.key if c not in identity.columns]
        same = [f"{c} = (select one.{c} from ({one}) as one)" for c in identity.columns]
        same += [f"{c} = null" for c in identity.corrects] + [f"{c} = '{v[0]}'" for c, v in identity.where]
        same += [f"{identity.time} = '2026-11-01 10:00+08'"] if identity.time else []
        copied = [*once_more, set_all(table, keys + same)]
        yield fault((table.name, "alike"), rule, {number}, *copied)
        one_number = f"{number} = (select min({number}) from {raw})"
        yield fault((table.name, "of one number"), rule, set(), *copied, set_all(table, one_number))
        for column in identity.columns:
            yield fault(
                (table.name, column), rule, set(), *copied, set_all(table, f"{column} = {apart(table, column)}")
            )
        if identity.time:
            minutes = identity.within_minutes
            for step, told in ((minutes, {number}), (minutes + 1, set())):
                later = f"{identity.time} + row_number() over (order by _raw_id) * interval '{step} minutes'"
                moved = f"update {raw} set {identity.time} = moved.at from (select _raw_id, {later} as at from {raw}) as moved"
                moved += f" where {raw}._raw_id = moved._raw_id"
                yield fault((table.name, step), rule, told, *copied, moved)
        two, three = (
            f"delete from {raw} where _raw_id not in (select _raw_id from {raw} order by _raw_id limit {n})"
            for n in (2, 3)
        )
        for column in identity.corrects:
            of_last = f"where {number} = (select max({number}) from {raw})"
            yield fault((table.name, column), rule, {number}, *copied, two)
            named = f"update {raw} set {column} = (select min({number}) from {raw}) {of_last}"
            for kept in (two, three):  # of three the one between corrects nothing and is named by none
                yield fault((table.name, column, "named"), rule, set(), *copied, kept, named)
            another = f"update {raw} set {column} = 'another' {of_last}"
            yield fault((table.name, column, "another"), rule, set(), *copied, two, another)
        for column, values in identity.where:
            for value in values:
                yield fault((table.name, value), rule, {number}, *copied, set_all(table, f"{column} = '{value}'"))
            yield fault((table.name, column), rule, set(), *copied, set_all(table, f"{column} = 'CANCELLED'"))
        yield fault((table.name, "empty"), rule, set(), *copied, set_all(table, f"{first} = null"))


# -- values that are shared

SHARED_TEXTS = {"phone_number": "'021-61234567'", "email": "'one@example.com'", "person_name": "'合成某某'"}
# Days in which a text counts: a customer is visited and inspected once or a few times a year, so a year and a month hold a round
# of them; an answer follows every ticket.
WINDOWS = {"mkt_manager_visit": ("2025-10-01", "2025-10-02"), "mkt_inspection": ("2025-10-01", "2025-10-02")}
A_QUARTER = ("2026-08-07", "2026-08-08")
ONE_EACH = (
    "update raw_marketing.mkt_account set cons_no = 'H' || numbered.n, payer_name = 'P' || numbered.n"
    " from (select _raw_id, row_number() over (order by _raw_id) as n from raw_marketing.mkt_account) as numbered"
    " where mkt_account._raw_id = numbered._raw_id"
)


def sharings(staged: Staged) -> Iterator[Fault]:
    for table in tables_with_rows(staged):
        for column in table.scalar_columns:
            sharing, raw = column.sharing, table.raw_name
            if sharing is None:
                continue
            only = tuple(c if c is column else replace(c, sharing=None) for c in table.columns)
            rule, what = sharing_rule(replace(table, columns=only)), (table.name, column.name)
            for other in sharing.differs_from:
                if staged.connection.execute(f"select 1 from {raw} where {other} is not null").fetchone():
                    yield fault(
                        (*what, other),
                        rule,
                        {column.name},
                        set_all(table, f"{column.name} = {other}"),
                        among={column.name},
                    )
                    yield fault(
                        (*what, other, "empty"), rule, set(), set_all(table, f"{column.name} = ' ', {other} = ' '")
                    )
            if sharing.at_most is None or rows_of(staged, table) <= sharing.at_most:
                continue
            text = SHARED_TEXTS.get(column.meaning) or f"repeat('字', {sharing.longer_than})"
            dated = f", {table.fact_date} = :day" if sharing.days else ""
            shared = f"""update {raw} set {column.name} = case when numbered.n <= :n then :text end, {sharing.holder[0]} = 'H' || numbered.n{dated}
                from (select _raw_id, row_number() over (order by _raw_id) as n from {raw}) as numbered where {table.name}._raw_id = numbered._raw_id"""

            def given(n: int, at: str = "2026-11-05", said: str = text, statement: str = shared) -> str:
                return statement.replace(":n", str(n)).replace(":text", said).replace(":day", f"'{at}'")

            most = sharing.at_most
            yield fault(what, rule, {column.name}, ONE_EACH, given(most + 1))
            yield fault((*what, most), rule, set(), ONE_EACH, given(most))
            one_payer = "update raw_marketing.mkt_account set payer_name = 'P1'"
            told = set() if sharing.is_within_payer else {column.name}
            yield fault((*what, "one payer"), rule, told, ONE_EACH, one_payer, given(most + 1))
            if sharing.at_most_share:  # of 14,000 rows seven may
                assert sharing.at_most_share * 14_000 == 7, what
                more = f"insert into {staging_relation(table)} (_raw_id) select -n from generate_series(1, 14000 - {rows_of(staged, table)}) as n"
                for n, told in ((7, set()), (9, {column.name})):  # one contract of the first nine is over
                    yield fault((*what, n, "of 14,000"), rule, told, ONE_EACH, given(n), more)
            if table.in_force and not sharing.days:
                for what_day, told, values in _in_force(table):
                    found = {column.name} if told else set()
                    yield fault((*what, what_day), rule, found, ONE_EACH, given(most + 1), set_all(table, values))
            if sharing.longer_than:
                short = f"repeat('字', {sharing.longer_than - 1})"
                yield fault((*what, "short"), rule, set(), given(most + 1, said=short))
            if sharing.days:
                before, first = WINDOWS.get(table.name, A_QUARTER)
                for at, told in ((before, set()), (first, {column.name}), ("2026-11-06", set())):
                    yield fault((*what, at), rule, told, given(most + 1, at=at))


def _in_force(table: Table) -> Iterator[tuple[str, bool, list[str]]]:
    """Rows that begin or end today, and those that begin tomorrow or ended yesterday; the renewed ones go on after their end."""
    first, last = table.in_force
    kinds = [[f"{name} = '{values[0]}'" for name, values in table.renews]] if table.renews else []
    others = [
        [f"{n} = '{values[0] if n != name else _another(table, n)}'" for n, values in table.renews]
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


def _another(table: Table, column: str) -> str:
    return "false" if table.column(column).physical_type == "boolean" else "another"


# -- records that repeat the one before


def repeats(staged: Staged) -> Iterator[Fault]:
    for table in tables_with_rows(staged):
        for repeat in table.repeats:
            rule = repeat_rule(replace(table, repeats=(repeat,)))
            times = {c for c in repeat.columns if table.column(c).physical_type == "timestamptz"}

            def all_rows(value: str, filled: int = 99, times=times, columns=repeat.columns) -> list[str]:
                numbers = [c for c in columns if c not in times]
                return [f"{c} = {value if c in numbers[:filled] else 'null'}" for c in columns]

            yield fault((table.name, "7"), rule, {repeat.columns[0]}, set_all(table, all_rows("7")))
            yield fault((table.name, "0"), rule, set(), set_all(table, all_rows("0")))
            for column in repeat.columns:
                another = "now() + _raw_id * interval '1 second'" if column in times else "_raw_id % 1000"
                alike = set_all(table, all_rows("7"))
                yield fault((table.name, column), rule, set(), alike, set_all(table, f"{column} = {another}"))
            for column in repeat.series:  # the records of one series alone
                alike = [f"{c} = (select min({c}) from {table.raw_name})" for c in repeat.series if c != column]
                if table.column(repeat.along).physical_type == "timestamptz":
                    alike.append(f"{repeat.along} = date_trunc('day', {repeat.along})")
                one = (
                    f"case when {column} = (select min({column}) from {table.raw_name}) then 7 else _raw_id % 1000 end"
                )
                planted = set_all(table, [*all_rows(one), *alike])
                yield fault((table.name, "of one", column), rule, {repeat.columns[0]}, planted)
            if repeat.rows:
                for filled, told in ((repeat.least, {repeat.columns[0]}), (repeat.least - 1, set())):
                    some = f"select distinct {repeat.rows} from {table.raw_name} order by 1 limit {filled}"
                    planted = set_all(table, all_rows(f"case when {repeat.rows} in ({some}) then 7 else 0 end"))
                    yield fault((table.name, filled), rule, told, planted)
            elif repeat.least > 1:
                for filled, told in ((repeat.least, {repeat.columns[0]}), (repeat.least - 1, set())):
                    yield fault((table.name, filled), rule, told, set_all(table, all_rows("7", filled)))


# -- crowds

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
            if rows < 20 or {*of.by} & {name for name, _ in of.where}:
                continue  # of one unit alone there is nobody to compare with
            rule = crowding_rule(replace(table, crowds=(of,)))
            column = of.columns[-1] if of.mark.endswith("Between") else of.columns[0]
            size = min(12, rows // 2)
            units = [f"{c} = case when n <= {size} then 'U1' else 'U2' end" for c in of.by]
            kinds = [f"{c} = '{values[0]}'" for c, values in of.where]
            same, each = _marks(table, of.mark, of.columns)
            dates = (
                [f"{of.date} = {_at(table, of.date, '2026-11-04')}"] if of.date and of.date not in of.columns else []
            )

            def planted(of_unit: list[str], *values: str, t=table, each=each, alike=size) -> list[str]:
                mixed = [
                    f"{one.partition(' = ')[0]} = case when n <= {alike} then {one.partition(' = ')[2]} else {other.partition(' = ')[2]} end"
                    for one, other in zip(of_unit, each, strict=True)
                ]
                return crowd(f"CRD-{t.name}", ", ".join([*mixed, *values]))

            what = (table.name, of.what)
            yield fault((*what, "alike"), rule, {column}, *planted(same, *units, *kinds, *dates))
            yield fault((*what, "apart"), rule, set(), *planted(each, *units, *kinds, *dates))
            exact = planted(same, *units, *kinds, *dates)
            entries = size - (of.mark == "secondsSince")  # before the first there is none
            for limit in ("least_crowd", "least_entries"):
                for value, told in ((entries, {column}), (entries + 1, set())):
                    yield fault((*what, limit, value), rule, told, _limit(limit, value), *exact)
            yield fault((*what, "level"), rule, set(), _limit("level", 0), *exact)
            if of.mark != "secondsSince":  # of ten as many as its share, and one more, where nothing else counts
                ten = [u.replace(f"n <= {size}", "n <= 10") for u in units]
                every = [_limit("level", 1000), _limit("least_crowd", 1), _limit("least_entries", 10)]
                share, others = int(of.share * 10), ", ".join(f"{c} = 'U' || n" for c in of.by)
                for alike, told in ((share, set()), (share + 1, {column})) if share == of.share * 10 else ():
                    of_ten = [
                        *every,
                        *planted(same, *ten, *kinds, *dates, alike=alike),
                        crowd(rule.id, f"{others} ")[1] + " and n > 10",
                    ]
                    yield fault((*what, "of ten", alike), rule, told, *of_ten)
                windows = (
                    ("2026-08-08", 0, True),
                    ("2026-08-07", 0, False),
                    ("2026-08-07", 10, True),
                    ("2026-08-07", 9, False),
                )
                for at, enough, is_counted in (
                    windows if dates and share == of.share * 10 else ()
                ):  # one apart, a quarter ago
                    old = f"{of.date} = case when n = 10 then {_at(table, of.date, at)} else {_at(table, of.date, '2026-11-04')} end"
                    old = old.replace("then '", "then timestamptz '" if "+08" in old else "then date '")
                    of_nine = [
                        *every,
                        _limit("least_entries", 9),
                        _limit("enough_entries", enough),
                        *planted(same, *ten, *kinds, old, alike=share),
                        crowd(rule.id, f"{others} ")[1] + " and n > 10",
                    ]
                    yield fault((*what, "of nine", at, enough), rule, set() if is_counted else {column}, *of_nine)
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
            for what_day, is_told, values in _in_force(table) if table.in_force and not of.date else ():
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
            if dates:
                for at, told in (
                    ("2026-11-05", {column}),
                    ("2026-11-06", set()),
                    ("2025-10-02", {column}),
                    ("2025-10-01", set()),
                ):
                    day = [f"{of.date} = {_at(table, of.date, at)}"]
                    yield fault((*what, at), rule, told, *planted(same, *units, *kinds, *day))


FAULTS: dict[str, Callable[[Staged], Iterator[Fault]]] = {
    "ranges": ranges,
    "days": days,
    "texts": texts,
    "seeds": seeds,
    "orders": orders,
    "equations": equations,
    "edges": edges,
    "conditions": conditions,
    "periods": periods,
    "references": references,
    "totals": totals,
    "identities": identities,
    "copies": copies,
    "sharings": sharings,
    "repeats": repeats,
    "crowds": crowds,
}


def tell_their_columns(staged: Staged, faults: Callable[[Staged], Iterator[Fault]]) -> tuple[int, int]:
    """Asserts that each fault is told as it should be; how many columns are told, and of how many faults nothing is."""
    told = silent = 0
    for planted in faults(staged):
        with staged.connection.transaction(force_rollback=True):
            for statement in planted.statements:
                staged.connection.execute(statement)
            found = staged.columns(planted.rule)
            assert (found if planted.among is None else found & planted.among) == planted.columns, planted.what
            if planted.words:
                said = {column: words for column, words, *_ in staged.told(planted.rule)}
                assert said == planted.words, planted.what
        told, silent = told + len(planted.columns), silent + (not planted.columns)
    return told, silent
