"""Records made twice, values that too many share, records that repeat the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from include.quality.copy_rules import copy_rule
from include.quality.repeat_rules import repeat_rule
from include.quality.sharing_rules import sharing_rule
from include.transform.models import staging_relation
from tests.rules.base_faults import again
from tests.rules.declared_faults.made import Fault, apart, fault, rows_of, set_all, tables_with_rows
from tests.rules.declared_faults.own_days import in_force_edges
from tests.rules.staged import Staged


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
                for what_day, told, values in in_force_edges(table):
                    found = {column.name} if told else set()
                    yield fault((*what, what_day), rule, found, ONE_EACH, given(most + 1), set_all(table, values))
            if sharing.longer_than:
                short = f"repeat('字', {sharing.longer_than - 1})"
                yield fault((*what, "short"), rule, set(), given(most + 1, said=short))
            if sharing.days:
                before, first = WINDOWS.get(table.name, A_QUARTER)
                for at, told in ((before, set()), (first, {column.name}), ("2026-11-06", set())):
                    yield fault((*what, at), rule, told, given(most + 1, at=at))


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
