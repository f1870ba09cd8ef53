"""Rows that refer to none, to one that is over, or to one that says otherwise; totals and identities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from include.contracts import Reference, Table, all_tables
from include.contracts.declarations import ALWAYS, NEVER
from include.quality.reference_rules import reference_rule
from include.quality.referred_rows import is_as_of
from tests.rules.declared_faults.made import Fault, alone, apart, fault, rows_of, set_all, tables_with_rows
from tests.rules.declared_faults.own_days import as_of_days, in_force_edges, own_days, period_of
from tests.rules.staged import Staged


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
                over = set_all(target, period_of(target, "1950-01-01", "1950-01-02"))
                yield fault((*what, "over"), whole, set(), over, among={own})
            for mine, theirs in reference.agrees:
                if table.name != "con_amendment":  # no amendment by application here
                    yield from _agreement(table, reference, mine, theirs)
        for reference in table.references_by_kind:
            yield from _by_kind(table, reference)


def _as_of(table: Table, reference: Reference) -> Iterator[Fault]:
    """A row whose target is not in force on its day is told at its reference, or where it outlives the target at its end."""
    target, own = all_tables()[reference.target_table], reference.columns[0]
    rule = reference_rule(alone(table, references=(replace(reference, agrees=(), is_cross_system=False),)))
    for (first, last), of_target, is_in_force, was_in_force in as_of_days(table):
        told = set() if is_in_force else {own}
        if told and was_in_force and last:
            told = {table.in_force[1]}
        planted = (set_all(table, own_days(table, first, last)), set_all(target, period_of(target, *of_target)))
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
        for (first, last), of_target, is_in_force, _ in as_of_days(table):
            planted = (
                differing,
                set_all(table, own_days(table, first, last)),
                set_all(target, period_of(target, *of_target)),
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
            for what_day, is_told, values in in_force_edges(target) if target.in_force else ():
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
            began = [set_all(table, period_of(table, "2020-01-01", None))] if table.in_force else []
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
            for what_day, is_told, values in in_force_edges(table) if table.in_force else ():
                told = {own} if is_told else set()
                yield fault((*what, what_day), rule, told, set_all(table, [*apart_from, *values]), same, among=among)
