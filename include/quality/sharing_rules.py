"""SHA: a value is shared by as many holders as its contract allows, and is none that another column of its row must not repeat.

Holders that one settlement account pays for count as one where the contract says so. Texts are compared without their spelling.
"""

from __future__ import annotations

from include.contracts import Column, Table, all_tables
from include.contracts.declarations import Sharing
from include.quality.made_rules import Check, checked_rule, text, trimmed
from include.quality.meaning_rules import delivered_text, spelled
from include.quality.referred_rows import (
    SETTLEMENT_ACCOUNTS,
    account_column,
    delivered,
    in_force_on,
    local_day,
    payers_join,
)
from include.quality.rules import Rule
from include.transform.models import staging_relation


def sharing_rule(table: Table) -> Rule | None:
    """The rule on the columns of a table that declare who may share their values; None where none does."""
    checks, joins, targets, said, shared_anew = [], [], [], [], []
    for column in table.scalar_columns:
        sharing = column.sharing
        if sharing is None:
            continue
        for other in sharing.differs_from:
            checks.append(_differs(table, column, other))
            said.append(f"{column.name} is not the {other} of its row")
        if sharing.at_most is None:
            continue
        alias = f"holders_of_{column.name}"
        joins.append(_holders(table, column, sharing, alias))
        targets += [all_tables()[SETTLEMENT_ACCOUNTS]] if sharing.is_within_payer else []
        checks.append(_shared(column, sharing, alias))
        shared_anew.append(_is_shared_anew(table, column))
        said.append(f"one {column.name}{_which(sharing)} has at most {sharing.at_most} {' and '.join(sharing.holder)}")
    if not checks:
        return None
    return checked_rule(
        table,
        "SHA",
        checks,
        sentence=f"The values of {table.name} belong to whom they are entered for: {'; '.join(said)}.",
        axis="arbitrary",
        dimension="uniqueness",
        reason="A value that many unrelated holders share is that of whoever filled it in.",
        source=f"contract of the {table.source} system, table {table.name}; each value alone, no test of chance",
        joins=joins,
        targets=targets,
        children={table.name: " or ".join(shared_anew)} if shared_anew else {},
    )


def _differs(table: Table, column: Column, other: str) -> Check:
    mine, theirs = f"btrim({delivered_text(column)})", trimmed(table.column(other), "raw")
    fails = f"nullif({mine}, '') is not null and lower({mine}) = lower({theirs})"
    return Check(column.name, fails, f"raw.{column.name}", text(f"another value than that of {other}"))


def _shared(column: Column, sharing: Sharing, alias: str) -> Check:
    holders = " and ".join(sharing.holder)
    seen = f"raw.{column.name} || ' of ' || {alias}.holders || {text(f' different {holders}')}"
    expected = f"at most {sharing.at_most}" + (", or one payer" if sharing.is_within_payer else "")
    return Check(column.name, f"{alias}.value is not null", seen, text(expected))


def _which(sharing: Sharing) -> str:
    longer = f" of {sharing.longer_than} signs or more" if sharing.longer_than else ""
    return longer + (f" within {sharing.days} days" if sharing.days else "")


def _value(column: Column) -> str:
    """A text is one however it is spelled; a number or a name of a thing as its meaning spells it."""
    return f"quality.normalised_name({delivered_text(column)})" if column.meaning == "free_text" else spelled(column)


def _is_shared_anew(table: Table, column: Column) -> str:
    """SQL condition: a row that landed since the last passed gate has the same value; the row itself may be old."""
    new = "staged._load_id > quality.last_passed_load_id()"
    return f"{_value(column)} in (select {_value(column)} from {delivered(table)} where {new})"


def _holders(table: Table, column: Column, sharing: Sharing, alias: str) -> str:
    """Left join to the values that too many hold, and how many do."""
    holder = " || ' / ' || ".join(f"{trimmed(table.column(c), 'raw')}::text" for c in sharing.holder)
    counted = [in_force_on(table, ":business_date")]
    if sharing.days:
        day = local_day(table, table.fact_date)
        counted = [f"{day} > :business_date - {sharing.days}", f"{day} <= :business_date"]
    longer = [f"length({_value(column)}) >= {sharing.longer_than}"] if sharing.longer_than else []
    payers = ""
    if sharing.is_within_payer:
        holder = f"coalesce(payers.payer_name, btrim(raw.{account_column(table)}))"
        payers = payers_join(table)
    most = str(sharing.at_most)
    if sharing.at_most_share:
        most = f"greatest({most}, {sharing.at_most_share:f} * (select count(*) from {staging_relation(table)}))"
    return f"""left join (
    select {_value(column)} as value, count(distinct {holder}) as holders
    from {delivered(table)}{payers}
    where {" and ".join([f"nullif(btrim(raw.{column.name}), '') is not null", *longer, *counted])}
    group by 1
    having count(distinct {holder}) > {most}
) as {alias} on {_value(column)} = {alias}.value and {" and ".join(counted)}"""
