"""REF: references across systems and dates, relations that are total, columns that repeat what the row referred to says, and
identities that one holder has at a time, as the contracts declare them.

References inside a system that lead to no row at all are `BASE-...-REFERENCE`. A difference is told between two numbers that
are both known: one that leads nowhere is told where it is, and once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from include.contracts import Reference, Table, all_tables
from include.contracts.declarations import ALWAYS, NEVER
from include.quality.made_rules import Check, checked_rule, of_kind, text, trimmed
from include.quality.referred_rows import (
    SETTLEMENT_ACCOUNTS,
    ReferredRows,
    account_column,
    day_of,
    days_in_force,
    delivered,
    in_force_on,
    is_as_of,
    keys,
    local_day,
    matches,
    payers_join,
    reference_by,
)
from include.quality.rules import Rule


@dataclass
class _Parts:
    """What the checks of a table need beside its own rows."""

    rows: ReferredRows
    checks: list[Check] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    targets: list[Table] = field(default_factory=list)


def reference_rule(table: Table) -> Rule | None:
    """The rule on what a table's references and identities declare; None where there is nothing to judge."""
    parts = _Parts(ReferredRows(table))
    for number, reference in enumerate(table.references, start=1):
        if _can_name_itself(table, reference):
            _names_another_row(parts, reference)
        if reference.is_cross_system:
            _leads_to_a_row(parts, reference, f"target_{number}")
        if is_as_of(reference):
            _leads_to_a_row_in_force(parts, reference, f"in_force_{number}")
        for own, theirs in reference.agrees:
            _agrees(parts, reference, own, theirs)
    for number, reference in enumerate(table.references_by_kind, start=1):
        _leads_to_a_row_of_its_kind(parts, reference, f"kind_{number}")
    for number, (other, reference) in enumerate(_total_relations(table), start=1):
        _is_referred_to(parts, other, reference, f"referring_{number}")
    for number, column in enumerate(table.columns, start=1):
        if column.identity and not column.identity.rule and column.identity.shared != ALWAYS:
            _has_one_holder(parts, column.name, f"holders_{number}")
    if not parts.checks:
        return None
    return checked_rule(
        table,
        "REF",
        parts.checks,
        sentence=_sentence(table),
        axis="mismatch",
        dimension="referential",
        reason="What two systems call by one number is one thing, or its energy, money and service are counted at the wrong place.",
        joins=[*parts.rows.joins, *parts.joins],
        targets=[*parts.rows.targets, *parts.targets],
        doubles=parts.rows.can_double,
    )


def _sentence(table: Table) -> str:
    said = []
    across = [r.target_table for r in table.references if r.is_cross_system]
    across += [r.target_table for r in table.references_by_kind]
    dated = [r.target_table for r in table.references if is_as_of(r)]
    agreeing = [f"the {theirs} of {r.target_table}" for r in table.references for _, theirs in r.agrees]
    total = [other.name for other, _ in _total_relations(table)]
    held = [c.name for c in table.columns if c.identity and not c.identity.rule and c.identity.shared != ALWAYS]
    if across:
        said.append(f"leads to a row of {', '.join(dict.fromkeys(across))}")
    if dated:
        said.append(f"names a row of {', '.join(dict.fromkeys(dated))} that is in force on its day")
    if agreeing:
        said.append(f"repeats {', '.join(agreeing)}")
    if total:
        said.append(f"is named by a row of {', '.join(total)}")
    if any(_can_name_itself(table, r) for r in table.references):
        said.append("never names itself")
    if held:
        said.append(f"shares its {', '.join(held)} with no other holder")
    return f"A row of {table.name} {', '.join(said[:-1])}{' and ' if said[1:] else ''}{said[-1]}."


def _leads_to_a_row(parts: _Parts, reference: Reference, alias: str) -> None:
    table = parts.rows.table
    severity = "quarantine" if reference.on_unresolved == "block" else "warn"
    parts.joins.append(_distinct_join(table, reference, alias))
    parts.targets.append(all_tables()[reference.target_table])
    parts.checks.append(
        Check(
            reference.columns[0],
            f"{_given(reference)} and {alias}.is_there is null",
            _seen(reference),
            text(f"a row of {reference.target_table} with this {', '.join(reference.target_columns)}"),
            severity,
        )
    )


def _leads_to_a_row_of_its_kind(parts: _Parts, reference: Reference, alias: str) -> None:
    """A number whose kind stands in another column leads to a row of that table, which agrees with the row."""
    table, target = parts.rows.table, all_tables()[reference.target_table]
    named = ", ".join(target.column(c).name for c in reference.target_columns)
    agreeing = "".join(f", raw.{theirs} as their_{theirs}" for _, theirs in reference.agrees)
    key = ", ".join(trimmed(target.column(c), "raw") for c in reference.target_columns)
    parts.joins.append(f"""left join (
    select distinct on ({key}) {keys(reference)}, true as is_there{agreeing}
    from {delivered(target)}
    order by {key}, raw._raw_id
) as {alias} on {matches(table, reference, alias)}""")
    parts.targets.append(target)
    kind = " and ".join(of_kind(reference.where))
    parts.checks.append(
        Check(
            reference.columns[0],
            f"{kind} and {_given(reference)} and {alias}.is_there is null",
            _seen(reference),
            text(f"a row of {target.name} with this {named}"),
        )
    )
    for own, theirs in reference.agrees:
        mine = trimmed(table.column(own), "raw")
        parts.checks.append(
            Check(
                reference.columns[0],
                f"{kind} and {mine} <> btrim({alias}.their_{theirs})",
                f"{_seen(reference)} || {text(f' of {theirs} ')} || {alias}.their_{theirs}",
                f"{text(f'one of {own} ')} || {mine}",
            )
        )


def _can_name_itself(table: Table, reference: Reference) -> bool:
    return reference.target_table == table.name and len(reference.columns) == 1


def _names_another_row(parts: _Parts, reference: Reference) -> None:
    (own,), (theirs,) = reference.columns, reference.target_columns
    table = parts.rows.table
    parts.checks.append(
        Check(
            own,
            f"{trimmed(table.column(own), 'raw')} = {trimmed(table.column(theirs), 'raw')}",
            f"raw.{own}::text || ', the row itself'",
            text(f"another row of {table.name}"),
        )
    )


def _leads_to_a_row_in_force(parts: _Parts, reference: Reference, alias: str) -> None:
    """The target has rows with this key, and none of them is in force on the row's day. One that ends before it begins is so on no day.

    An archive's row that begins within them and has ended, or states when it will, is told at its end: it outlives what it refers to.
    """
    table, target = parts.rows.table, all_tables()[reference.target_table]
    first, last = days_in_force(target)
    places = ", ".join(str(n + 1) for n in range(len(reference.columns)))
    parts.joins.append(f"""left join (
    select
        {keys(reference)},
        coalesce(
            range_agg(daterange({first}, {last}, '[]')) filter (where ({last} < {first}) is not true), '{{}}'
        ) as days
    from {delivered(target)}
    where {first} is not null
    group by {places}
) as {alias} on {matches(table, reference, alias)}""")
    parts.targets.append(target)
    day = day_of(table)
    fails = f"{_given(reference)} and {alias}.days is not null and not {alias}.days @> ({day})"
    told = {reference.columns[0]: fails}
    if table.in_force and not table.fact_date:
        begins, ends = table.in_force
        outlives = f"raw.{ends} is not null and {alias}.days @> {local_day(table, begins)}"
        told = {reference.columns[0]: f"{fails} and ({outlives}) is not true", ends: f"{fails} and {outlives}"}
    for column, condition in told.items():
        parts.checks.append(
            Check(
                column,
                condition,
                f"{_seen(reference)} || ', in force ' || case when isempty({alias}.days) then 'on no day' else {alias}.days::text end",
                f"{text(f'a row of {reference.target_table} in force on ')} || ({day})",
            )
        )


def _agrees(parts: _Parts, reference: Reference, own: str, theirs: str) -> None:
    rows, target = parts.rows, all_tables()[reference.target_table]
    mine, other = rows.value(own), rows.value(f"{reference.columns[0]}.{theirs}")
    spelled = []
    if target.column(theirs).physical_type == "text":
        mine, other = f"btrim({mine})", f"btrim({other})"
        # the same letters in another width or case are no difference; asked last, for it is dear
        spelled = [f"upper(quality.plain_text({mine})) <> upper(quality.plain_text({other}))"]
    known = [_is_known(parts, target, theirs, other)]
    owner = all_tables()[reference_by(rows.table, own.split(".")[0]).target_table] if "." in own else rows.table
    known.append(_is_known(parts, owner, own.rpartition(".")[2], mine))
    parts.checks.append(
        Check(
            own if "." not in own else reference.columns[0],
            " and ".join([f"{mine} <> {other}", *filter(None, known), *spelled]),
            f"{mine}::text"
            if "." not in own
            else f"raw.{reference.columns[0]}::text || {text(f' of {theirs} ')} || {other}",
            f"{other}::text || {text(f', {theirs} of the row of {target.name}')}"
            if "." not in own
            else f"{text(f'one of {theirs} ')} || {mine}",
        )
    )


def _is_known(parts: _Parts, table: Table, column: str, value: str) -> str | None:
    """SQL condition: a number leads to a row of the table that its own column refers to, a credit code is one; else None."""
    if table.column(column).meaning == "credit_code":
        return f"quality.uscc_is_valid(upper({value}))"
    for reference in table.references:
        if column in reference.columns:
            target = all_tables()[reference.target_table]
            key = reference.target_columns[reference.columns.index(column)]
            parts.targets.append(target)
            return f"{value} in (select {trimmed(target.column(key), 'raw')} from {delivered(target)})"
    return None


def _total_relations(table: Table) -> list[tuple[Table, Reference]]:
    """The references of other tables that name every row of this one."""
    return [(t, r) for t in all_tables().values() for r in t.references if r.is_total and r.target_table == table.name]


def _is_referred_to(parts: _Parts, other: Table, reference: Reference, alias: str) -> None:
    table = parts.rows.table
    own = ", ".join(
        f"{trimmed(other.column(c), 'raw')} as {t}_key"
        for c, t in zip(reference.columns, reference.target_columns, strict=True)
    )
    on = " and ".join(f"{trimmed(table.column(c), 'raw')} = {alias}.{c}_key" for c in reference.target_columns)
    parts.joins.append(f"""left join (
    select distinct {own}, true as is_there
    from {delivered(other)}
) as {alias} on {on}""")
    parts.targets.append(other)
    fits = [in_force_on(table, ":business_date"), *of_kind(reference.total_where)]
    parts.checks.append(
        Check(
            reference.target_columns[0],
            f"{alias}.is_there is null and {' and '.join(fits)}",
            text(f"no row of {other.name}"),
            text(f"a row of {other.name} with this {', '.join(reference.columns)}"),
        )
    )


def _has_one_holder(parts: _Parts, column: str, alias: str) -> None:
    """Of the rows in force on the business date those with one value have one holder, or one payer where that is declared."""
    table = parts.rows.table
    identity = table.column(column).identity
    holder = " || ' / ' || ".join(_as_holder(table, c) for c in identity.holder)
    value, payers, counted = trimmed(table.column(column), "raw"), "", f"count(distinct {holder})"
    condition = f"{counted} > 1"
    if identity.shared != NEVER:
        payers = payers_join(table)
        condition += f" and count(distinct coalesce(payers.payer_name, btrim(raw.{account_column(table)}))) > 1"
        parts.targets.append(all_tables()[SETTLEMENT_ACCOUNTS])
    parts.joins.append(f"""left join (
    select {value} as held, {counted} as holders
    from {delivered(table)}{payers}
    where nullif({value}, '') is not null and {in_force_on(table, ":business_date")}
    group by 1
    having {condition}
) as {alias} on {value} = {alias}.held and {in_force_on(table, ":business_date")}""")
    named = " and ".join(identity.holder)
    parts.checks.append(
        Check(
            column,
            f"{alias}.held is not null",
            f"{value} || ' of ' || {alias}.holders || {text(f' different {named}')}",
            text(f"one {named}" + ("" if identity.shared == NEVER else ", or one payer")),
        )
    )


def _as_holder(table: Table, column: str) -> str:
    """A name is compared without its spelling: brackets, blanks, width and legal form do not make another holder."""
    value = trimmed(table.column(column), "raw")
    return (
        f"quality.normalised_name({value})" if table.column(column).meaning == "organisation_name" else f"{value}::text"
    )


def _given(reference: Reference) -> str:
    return " and ".join(f"raw.{c} is not null" for c in reference.columns)


def _seen(reference: Reference) -> str:
    return " || ' / ' || ".join(f"raw.{c}::text" for c in reference.columns)


def _distinct_join(table: Table, reference: Reference, alias: str) -> str:
    return f"""left join (
    select distinct {keys(reference)}, true as is_there
    from {delivered(all_tables()[reference.target_table])}
) as {alias} on {matches(table, reference, alias)}"""
