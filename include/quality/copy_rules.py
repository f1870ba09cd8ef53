"""DUP: no record stands a second time under another number, by the identity that its contract declares.

The number is the first column of the key. Of records that are one, the later is told: by its time, by when it was written and
landed, at last by its number. A row that corrects, reverses or reopens another one is no copy of it, nor is the one that it names.
"""

from __future__ import annotations

from include.contracts import Table
from include.contracts.declarations import RecordIdentity
from include.quality.made_rules import Check, checked_rule, is_absent, of_kind, text, trimmed
from include.quality.referred_rows import delivered
from include.quality.rules import Rule


def copy_rule(table: Table) -> Rule | None:
    """The rule on the identity of a table that no rule of the catalogue carries; None where there is none."""
    identity = table.record_identity
    if identity is None or identity.rule:
        return None
    number, told = table.key[0], ", ".join(identity.columns)
    within = f" within {identity.within_minutes} minutes" if identity.time else ""
    seen = f"raw.{number} || {text(f' beside {number} ')} || earlier.number"
    if identity.time:
        seen += f" || {text(f', {identity.time} ')} || raw.{identity.time} || ' and ' || earlier.at"
    return checked_rule(
        table,
        "DUP",
        [Check(number, "earlier.number is not null", seen, text(f"one record of {told}{within}"))],
        sentence=f"No record of {table.name} stands a second time under another {number}: {told}{within}.",
        axis="arbitrary",
        dimension="uniqueness",
        reason="An entry made twice is counted, paid or answered twice.",
        source=f"contract of the {table.source} system, table {table.name}; each record alone, no test of chance",
        joins=[_earlier(table, identity)],
    )


def _earlier(table: Table, identity: RecordIdentity) -> str:
    """Left join to the record of the same identity that stands before a row."""
    number = trimmed(table.column(table.key[0]), "raw")
    same = ", ".join(trimmed(table.column(c), "raw") for c in identity.columns)
    time = f"raw.{identity.time}" if identity.time else "null::timestamptz"
    conditions = [f"not ({is_absent(table.column(identity.columns[0]))})"]
    conditions += of_kind(identity.where)
    conditions += [is_absent(table.column(c)) for c in identity.corrects]
    conditions += [
        f"{number} not in (select {trimmed(table.column(c), 'raw')} from {delivered(table)} where raw.{c} is not null)"
        for c in identity.corrects
    ]
    order = [*([time] if identity.time else []), f"raw.{table.cursor_column}", "raw._load_id"]
    order += [f"length({number})", number]
    soon = f" and raw.at <= raw.at_before + interval '{identity.within_minutes} minutes'" if identity.time else ""
    return f"""left join (
    select raw.raw_id, raw.number_before as number, raw.at_before as at
    from (
        select
            raw._raw_id as raw_id,
            {number} as number,
            {time} as at,
            lag({number}) over same as number_before,
            lag({time}) over same as at_before
        from {delivered(table)}
        where {" and ".join(conditions)}
        window same as (partition by {same} order by {", ".join(order)})
    ) as raw
    where raw.number_before <> raw.number{soon}
) as earlier on raw._raw_id = earlier.raw_id"""
