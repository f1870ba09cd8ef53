"""Copies under a new number, values shared by unrelated holders, records that repeat the one before, entries that crowd.

Clean data break no rule of these families; each declaration is broken once by a fault made from it, and is silent one step beside it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from include.contracts import Table, all_tables
from include.quality.base_rules import load_base_rules
from include.quality.copy_rules import copy_rule
from include.quality.repeat_rules import repeat_rule
from include.quality.rules import Rule
from include.quality.sharing_rules import sharing_rule
from tests.rules.staged import Staged

FAMILIES = ("DUP", "SHA", "REP", "CRD")
RULES = {rule.id: rule for rule in load_base_rules() if rule.id.startswith(FAMILIES)}


def told(staged: Staged, rule: Rule, *statements: str) -> set[str]:
    """The columns told after the statements, which are taken back."""
    with staged.connection.transaction(force_rollback=True):
        for one in statements:
            staged.connection.execute(one)
        return staged.columns(rule)


def rows_of(staged: Staged, table: Table) -> int:
    return staged.connection.execute(f"select count(*) from {table.raw_name}").fetchone()[0]


def apart(table: Table, column: str) -> str:
    """SQL of a value of a column that no other row has."""
    kind = table.column(column).physical_type
    if kind == "date":
        return "date '2000-01-01' + _raw_id::integer"
    if kind == "timestamptz":
        return "timestamptz '2020-01-01 00:00+08' + _raw_id * interval '1 second'"
    return "_raw_id" if kind.startswith(("numeric", "integer", "smallint")) else "'A' || _raw_id"


def test_clean_data_break_no_rule_of_the_families(staged: Staged):
    broken = {rule_id: staged.answer(rule)[1] for rule_id, rule in RULES.items()}
    assert {rule_id: found for rule_id, found in broken.items() if found} == {}
    assert {family: sum(rule_id.startswith(family) for rule_id in RULES) for family in FAMILIES} == {
        "DUP": 19,
        "SHA": 8,
        "REP": 5,
        "CRD": 7,
    }


# -- copies


def test_every_identity_is_judged(staged: Staged):
    seen = []
    for table in filter(partial(rows_of, staged), all_tables().values()):
        identity, number = table.record_identity, table.key[0]
        if identity is None or identity.rule or rows_of(staged, table) < 2:
            continue
        rule = copy_rule(table)
        raw, first = table.raw_name, identity.columns[0]
        one = f"select * from {raw} where {first} is not null order by _raw_id limit 1"
        keys = [f"{c} = {apart(table, c)}" for c in table.key if c not in identity.columns]
        same = [f"{c} = (select one.{c} from ({one}) as one)" for c in identity.columns]
        same += [f"{c} = null" for c in identity.corrects] + [f"{c} = '{v[0]}'" for c, v in identity.where]
        same += [f"{identity.time} = '2026-11-01 10:00+08'"] if identity.time else []
        copied = f"update {raw} set {', '.join(keys + same)}"
        if staged.connection.execute(one).fetchone() is None:
            continue
        assert told(staged, rule, copied) == {number}, table.name
        for column in identity.columns:
            another = f"update {raw} set {column} = {apart(table, column)}"
            assert told(staged, rule, copied, another) == set(), (table.name, column)
        if identity.time:
            minutes = identity.within_minutes
            for step, found in ((minutes, {number}), (minutes + 1, set())):
                later = f"{identity.time} + row_number() over (order by _raw_id) * interval '{step} minutes'"
                moved = f"update {raw} set {identity.time} = moved.at from (select _raw_id, {later} as at from {raw}) as moved"
                moved += f" where {raw}._raw_id = moved._raw_id"
                assert told(staged, rule, copied, moved) == found, (table.name, step)
        for column in identity.corrects:
            two = f"delete from {raw} where _raw_id not in (select _raw_id from {raw} order by _raw_id limit 2)"
            named = f"update {raw} set {column} = (select min({number}) from {raw}) where {number} = (select max({number}) from {raw})"
            assert told(staged, rule, copied, two) == {number}, (table.name, column)
            assert told(staged, rule, copied, two, named) == set(), (table.name, column)
            another = f"update {raw} set {column} = 'another' where {number} = (select max({number}) from {raw})"
            assert told(staged, rule, copied, two, another) == set(), (table.name, column)
        for column, _ in identity.where:
            assert told(staged, rule, copied, f"update {raw} set {column} = 'CANCELLED'") == set(), table.name
        assert told(staged, rule, copied, f"update {raw} set {first} = null") == set(), table.name
        seen.append(table.name)
    assert len(seen) >= 14


def test_of_two_records_that_are_one_the_later_is_told(staged: Staged):
    """Two tickets of a call (synthetic), of which the one with the smaller number was accepted two minutes later."""
    raw = "raw_marketing.mkt_ticket"
    staged.connection.execute(
        f"delete from {raw} where _raw_id not in (select _raw_id from {raw} order by _raw_id limit 2)"
    )
    staged.connection.execute(
        f"update {raw} set cons_no = '0310000001', ticket_type = 'INQUIRY', sub_type = null, reopen_of = null"
    )
    numbers = [row[0] for row in staged.connection.execute(f"select _raw_id from {raw} order by _raw_id").fetchall()]
    for raw_id, number, minute in zip(numbers, ("T2", "T1"), ("10:00", "10:02"), strict=True):
        staged.connection.execute(
            f"update {raw} set ticket_no = %s, accepted_at = %s where _raw_id = %s",
            (number, f"2026-11-01 {minute}+08", raw_id),
        )
    (found,) = staged.violations(RULES["DUP-mkt_ticket"])
    assert (found["record_key"], found["column_name"], found["severity"]) == ({"ticket_no": "T1"}, "ticket_no", "warn")
    assert found["observed"].startswith("T1 beside ticket_no T2, accepted_at ")


# -- values that are shared


TEXTS = {"phone_number": "'021-61234567'", "email": "'one@example.com'", "person_name": "'合成某某'"}
# Days in which a text counts: a customer is visited and inspected once or a few times a year, so a year and a month hold a round
# of them; an answer follows every ticket.
WINDOWS = {"mkt_manager_visit": (400, "2025-10-01", "2025-10-02"), "mkt_inspection": (400, "2025-10-01", "2025-10-02")}
A_QUARTER = (90, "2026-08-07", "2026-08-08")
ONE_EACH = "update raw_marketing.mkt_account set cons_no = 'H' || numbered.n, payer_name = 'P' || numbered.n"
FROM_NUMBERED = (
    " from (select _raw_id, row_number() over (order by _raw_id) as n from raw_marketing.mkt_account) as numbered"
    " where mkt_account._raw_id = numbered._raw_id"
)


def test_every_sharing_is_judged(staged: Staged):
    seen = []
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for column in table.scalar_columns:
            sharing, raw = column.sharing, table.raw_name
            if sharing is None:
                continue
            alone = replace(table, columns=tuple(c if c is column else replace(c, sharing=None) for c in table.columns))
            rule = sharing_rule(alone)
            for other in sharing.differs_from:
                same = f"update {raw} set {column.name} = {other}"
                if staged.connection.execute(f"select 1 from {raw} where {other} is not null").fetchone():
                    assert column.name in told(staged, rule, same), (table.name, column.name)
            if sharing.at_most is None or rows_of(staged, table) <= sharing.at_most:
                continue
            text = TEXTS.get(column.meaning) or f"repeat('字', {sharing.longer_than})"
            dated = f", {table.fact_date} = :day" if sharing.days else ""
            shared = f"""update {raw} set {column.name} = case when numbered.n <= :n then :text end, {sharing.holder[0]} = 'H' || numbered.n{dated}
                from (select _raw_id, row_number() over (order by _raw_id) as n from {raw}) as numbered where {table.name}._raw_id = numbered._raw_id"""

            def given(n: int, day: str = "2026-11-05", said: str = text, statement: str = shared) -> str:
                return statement.replace(":n", str(n)).replace(":text", said).replace(":day", f"'{day}'")

            payers = ONE_EACH + FROM_NUMBERED
            most = sharing.at_most
            assert told(staged, rule, payers, given(most + 1)) == {column.name}, (table.name, column.name)
            assert told(staged, rule, payers, given(most)) == set(), (table.name, column.name)
            if sharing.is_within_payer:
                one_payer = "update raw_marketing.mkt_account set payer_name = 'P1'"
                assert told(staged, rule, payers, one_payer, given(most + 1)) == set(), (table.name, column.name)
            if sharing.longer_than:
                short = f"repeat('字', {sharing.longer_than - 1})"
                assert told(staged, rule, given(most + 1, said=short)) == set(), (table.name, column.name)
            if sharing.days:
                days, before, first = WINDOWS.get(table.name, A_QUARTER)
                assert (sharing.days, told(staged, rule, given(most + 1, day=before))) == (days, set()), table.name
                assert told(staged, rule, given(most + 1, day=first)) == {column.name}, table.name
            seen.append(f"{table.name}.{column.name}")
    assert {"mkt_customer.legal_rep", "mkt_contact.phone", "mkt_manager_visit.summary"} <= set(seen)
    assert len(seen) >= 7


# -- records that repeat the one before


def test_every_series_is_judged(staged: Staged):
    seen = []
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for repeat in table.repeats:
            rule, raw = repeat_rule(replace(table, repeats=(repeat,))), table.raw_name
            times = {c for c in repeat.columns if table.column(c).physical_type == "timestamptz"}

            def all_rows(value: str, times: set[str] = times, columns: tuple[str, ...] = repeat.columns) -> str:
                return ", ".join(f"{c} = {value if c not in times else 'null'}" for c in columns)

            assert told(staged, rule, f"update {raw} set {all_rows('7')}") == {repeat.columns[0]}, table.name
            assert told(staged, rule, f"update {raw} set {all_rows('0')}") == set(), table.name
            for column in repeat.columns:
                another = "now() + _raw_id * interval '1 second'" if column in times else "_raw_id % 1000"
                statements = (f"update {raw} set {all_rows('7')}", f"update {raw} set {column} = {another}")
                assert told(staged, rule, *statements) == set(), (table.name, column)
            seen.append(table.name)
    assert {"met_voltage_daily", "mkt_manager_assessment", "mkt_bill"} <= set(seen)


def test_one_score_that_happens_to_be_the_same_repeats_nothing(staged: Staged):
    raw, rule = "raw_marketing.mkt_manager_assessment", RULES["REP-mkt_manager_assessment"]
    one = f"update {raw} set raw_score = 80 where dimension = (select min(dimension) from {raw})"
    assert told(staged, rule, one) == set()


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
]


@pytest.mark.parametrize(("rule_id", "values", "columns"), CROWDS)
def test_a_crowd_is_told_at_its_unit(staged: Staged, rule_id: str, values: str, columns: set[str]):
    rule = RULES[rule_id]
    table = all_tables()[rule.table_name]
    numbered = f"(select _raw_id, row_number() over (order by _raw_id) as n from {table.raw_name}) as numbered"
    fault = f"update {table.raw_name} set {values} from {numbered} where {table.name}._raw_id = numbered._raw_id"
    assert told(staged, rule, "set local timezone = 'Asia/Shanghai'", fault) == columns


def test_arrivals_a_minute_before_the_promise_are_told_at_their_department(staged: Staged):
    """Of faults (synthetic) twelve were arrived at after 44 minutes, the others after 12 to 49; then each minute as often as any."""
    raw, rule = "raw_marketing.mkt_ticket", RULES["CRD-mkt_ticket"]
    number = "(row_number() over (order by _raw_id))::integer"
    twelve = f"case when {number} <= 12 then 44 else 12 + {number} % 38 end"
    for minutes, columns in ((twelve, {"arrived_at"}), (f"12 + {number} % 38", set())):
        fault = f"""update {raw} set dept_no = 'D07', ticket_type = 'FAULT', closed_at = null, accepted_at = timestamptz '2026-11-01 08:00+08',
            arrived_at = timestamptz '2026-11-01 08:00+08' + {{}} * interval '1 minute'"""
        with staged.connection.transaction(force_rollback=True):
            count = rows_of(staged, all_tables()["mkt_ticket"])
            assert count >= 40
            fault = fault.format("numbered.minutes")
            fault += f" from (select _raw_id, {minutes} as minutes from {raw}) as numbered where mkt_ticket._raw_id = numbered._raw_id"
            staged.connection.execute(fault)
            assert staged.columns(rule) == columns, minutes
