"""Rows that a delivery leaves out: a few are withdrawn, an unusual number stays in force until somebody confirms it.

A source that loses half of a table delivers the other half as if nothing had happened. So a key that was left out with many
others becomes a pending withdrawal of its delivery instead of a tombstone. It is confirmed by a manifest that announces the
withdrawal, by a waiver of PIP-06 or a person, and, below the second limit, by a delivery of a later business date with other
content that lacks it too. It is denied by a delivery that holds it, or that comes when the source keeps its month no longer. The
same content again confirms nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from include.contracts import Table, all_tables
from include.landing import late
from include.landing.databases import event_condition
from include.landing.delivery import AlreadyLanded, Delivery
from include.landing.limits import Limits, limits_of
from include.landing.receipts import insert_receipt
from include.records import locks
from include.records.receipts import WHOLE_TABLE, note_counts, note_load
from include.records.withdrawals import add_checks, add_pending, decide

RULE = "PIP-06"  # the rule that reports pending withdrawals; its waivers confirm them
OFFICE_COLUMNS = ("org_no", "dept_no")
ALL = None  # the whole table, beside its offices


@dataclass(frozen=True)
class Missed:
    """What became of the keys that a delivery left out; `blocks` where the pending ones are above the second limit."""

    withdrawn: int = 0
    pending: int = 0
    blocks: bool = False


def office_column(table: Table) -> str | None:
    """The column that says whose row it is; None where the table has none, or its rows are the offices themselves."""
    names = {c.name for c in table.columns}
    return next((name for name in OFFICE_COLUMNS if name in names and table.key != (name,)), None)


def deny_delivered(connection: psycopg.Connection, delivery: Delivery, load_id: int, business_date: date) -> int:
    """Denies the open withdrawals of keys that this delivery holds, rejected rows too; returns how many."""
    held = sql.SQL("""
        select pending_id, 'denied' as decision, 'delivery' as decided_by
        from quality.open_withdrawals
        where
            table_name = {table} and business_date <= {day}
            and (
                _key in (select _key from delivered)
                or _key in (select _key from quality.rejected_rows where load_id = {load})
            )
        """).format(load=load_id, table=delivery.table.name, day=business_date)
    return decide(connection, held, load_id=load_id)


def withdraw_absent(
    connection: psycopg.Connection, delivery: Delivery, load_id: int, business_date: date, *, is_news: bool
) -> Missed:
    """Withdraws what a delivery that is complete for its scope left out, or keeps it pending. What the source keeps no longer stays.

    `is_news` where it changed a row or held one that was pending: else it is a former delivery's content again, and confirms
    nothing unless it lacks other keys too.
    """
    table = delivery.table
    if delivery.complete == "all":
        scope = _still_kept(table, business_date)
    else:
        scope = event_condition(table, *delivery.complete, in_raw=True, by_parent=delivery.file_name is None)
    parts = _parts(table, delivery.channel, load_id, business_date) | {"scope": sql.SQL(scope)}
    _deny_what_is_kept_no_longer(connection, parts, _still_kept(table, business_date))
    absent = _note_absent(connection, parts)
    if not absent:
        connection.execute("drop table absent")
        return Missed()
    held, blocking = _unusual(connection, parts, limits_of(table, business_date), absent)
    announced = delivery.announced_withdrawals
    waiver = _waiver(connection, table.name, business_date)
    answered_by = "manifest" if announced and announced >= absent.total() else "waiver" if waiver else None
    connection.execute(
        """
        update absent set
            is_unusual = not is_withheld and case
                when is_of_withdrawn then %(all_block)s or coalesce(office = any(%(block)s), false)
                else %(all_held)s or coalesce(office = any(%(held)s), false)
            end,
            blocks = not is_withheld and (%(all_block)s or coalesce(office = any(%(block)s), false))
        """,
        {
            "all_held": ALL in held,
            "held": [office for office in held if office is not ALL],
            "all_block": ALL in blocking,
            "block": [office for office in blocking if office is not ALL],
        },
    )
    is_other = (
        is_news or connection.execute("select exists (select 1 from absent where pending_id is null)").fetchone()[0]
    )
    connection.execute(
        """
        update absent set is_withdrawn =
            not is_unusual or %(is_answered)s
            or (not blocks and not blocked_before and is_of_earlier_night and %(is_other)s)
        """,
        {"is_answered": answered_by is not None, "is_other": is_other},
    )
    _decide(connection, parts, answered_by or "delivery", waiver if answered_by == "waiver" else None)
    withdrawn = _insert_tombstones(connection, parts, "select _raw_id from absent where is_withdrawn")
    if delivery.complete == "all":
        _decide_what_came_late(connection, parts)
    pending, blocks = connection.execute(
        "select count(*), coalesce(bool_or(blocks), false) from absent where not is_withdrawn"
    ).fetchone()
    connection.execute("drop table absent")
    return Missed(withdrawn, pending, blocks)


def _still_kept(table: Table, business_date: date) -> str:
    """SQL condition: the source still delivers such a row, and the rows of its own system that it hangs on."""
    conditions = [_kept_itself(table, business_date)] if table.keeps_months else []
    for reference in table.references:
        target = all_tables()[reference.target_table]
        if target.keeps_months and target is not table and not reference.is_cross_system:
            own, theirs = ", ".join(reference.columns), ", ".join(reference.target_columns)
            newest = (
                f"select distinct on (_key) * from {target.raw_name} where _business_date <= '{business_date}'"
                " order by _key, quality.version_order(_business_date, _load_id) desc, _raw_id desc"
            )
            gone = f"select {theirs} from ({newest}) as newest where not {_kept_itself(target, business_date)}"
            conditions.append(f"(({own}) in ({gone})) is not true")
    return " and ".join(conditions) or "true"


def _deny_what_is_kept_no_longer(connection: psycopg.Connection, parts: dict, kept: str) -> None:
    """A row that the source keeps no longer cannot come again: it stays in force, and nobody is asked for it any more."""
    if kept == "true":
        return
    chosen = sql.SQL("""
        select pending.pending_id, 'denied' as decision, 'delivery' as decided_by
        from quality.pending_withdrawals as pending
        where
            pending.decision is null and pending.table_name = {name} and pending.channel = {channel}
            and pending.business_date <= {day}
            and exists (
                select 1
                from (
                    select raw.*
                    from {raw} as raw
                    where raw._key = pending._key and raw._business_date <= {day}
                    order by quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
                    limit 1
                ) as newest
                where not ({still_kept})
            )
        """).format(**parts | {"still_kept": sql.SQL(kept)})
    decide(connection, chosen, load_id=parts["load"], reason="the source keeps its month no longer")


def _of_withdrawn(table: Table, business_date: date) -> str:
    """SQL condition on a row of `left_out`: it refers, by its parent's whole key, to a row of its own system that is withdrawn."""
    conditions = []
    for reference in table.references:
        target = all_tables()[reference.target_table]
        if target is table or reference.is_cross_system or set(reference.target_columns) != set(target.key):
            continue
        own = ", ".join(f"left_out.{name}" for name in reference.columns)
        theirs = ", ".join(f"gone.{name}" for name in reference.target_columns)
        conditions.append(
            f"coalesce(({own}) in (select {theirs} from {target.raw_name} as gone"
            f" where gone._is_tombstone and gone._business_date <= '{business_date}' and not exists ("
            f"select 1 from {target.raw_name} as later where later._key = gone._key"
            f" and later._business_date <= '{business_date}' and quality.version_order(later._business_date, later._load_id)"
            " > quality.version_order(gone._business_date, gone._load_id))), false)"
        )
    return f"({' or '.join(conditions)})" if conditions else "false"


def _kept_itself(table: Table, business_date: date) -> str:
    return f"({event_condition(table, _first_kept(table.keeps_months, business_date), date.max, in_raw=True)})"


def _first_kept(months: int, business_date: date) -> date:
    """The first day of the month so many months before that of the business date."""
    month = business_date.year * 12 + business_date.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def settle(connection: psycopg.Connection, business_date: date) -> int:
    """Withdraws what waivers in force on the business date of a night confirm; returns the number of keys.

    A waiver that was signed after the delivery landed takes effect here, whether or not anything is landed again.
    """
    confirmed = 0
    for (table_name,) in connection.execute(
        "select distinct table_name from quality.open_withdrawals where business_date <= %s order by 1",
        (business_date,),
    ).fetchall():
        with connection.transaction():
            lock_table(connection, table_name)
            if waiver := _waiver(connection, table_name, business_date):
                chosen = "select pending_id from quality.open_withdrawals where table_name = %s and business_date <= %s"
                ids = [i for (i,) in connection.execute(chosen, (table_name, business_date)).fetchall()]
                withdraw_pending(connection, ids, decided_by="waiver", waiver_id=waiver)
                confirmed += len(ids)
    return confirmed


def withdraw_pending(
    connection: psycopg.Connection,
    pending_ids: list[int],
    *,
    decided_by: str,
    waiver_id: int | None = None,
    approver: str | None = None,
    reason: str | None = None,
) -> None:
    """Writes the tombstones of open withdrawals, as of the delivery that lacked the keys, each delivery's with a receipt."""
    for load_id, table_name, channel, day in connection.execute(
        "select distinct load_id, table_name, channel, business_date from quality.pending_withdrawals"
        " where pending_id = any(%s) and decision is null order by 1",
        (pending_ids,),
    ).fetchall():
        table = all_tables()[table_name]
        receipt = insert_receipt(
            connection, AlreadyLanded(table, None, None, channel), day, state="landed", duplicate_of=load_id
        )
        newest = sql.SQL("""
            select distinct on (raw._key) raw._raw_id
            from {raw} as raw
            inner join quality.pending_withdrawals as pending on raw._key = pending._key
            where pending.pending_id = any({ids}) and pending.load_id = {origin} and raw._business_date <= {day}
            order by raw._key, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
        """).format(raw=sql.SQL(table.raw_name), ids=pending_ids, origin=load_id, day=day)
        rows = _insert_tombstones(connection, _parts(table, channel, receipt, day), newest)
        note_counts(connection, receipt, tombstones=rows)
        chosen = sql.SQL(
            "select pending_id, 'confirmed' as decision, {by} as decided_by from quality.pending_withdrawals"
            " where pending_id = any({ids}) and load_id = {origin}"
        ).format(by=decided_by, ids=pending_ids, origin=load_id)
        decide(connection, chosen, load_id=receipt, waiver_id=waiver_id, approver=approver, reason=reason)
        note_load(connection, receipt)


def _unusual(
    connection: psycopg.Connection, parts: dict, limits: Limits, absent: Counter
) -> tuple[list[str | None], list[str | None]]:
    """Offices (ALL: the table) of which an unusual number is absent, and those above the second limit; put on record.

    A row that goes with its parent counts for the second limit alone.
    """
    if absent.total() < min(limits.small_table_least_rows, limits.pending_rows + 1):
        return [], []
    in_force = Counter(
        dict(
            connection.execute(
                sql.SQL("""
                with newest as (
                    select distinct on (raw._key) raw._is_tombstone, raw._channel, {office} as office
                    from {raw} as raw
                    where {scope} and raw._business_date <= {day} and raw._load_id <> {load}
                    order by raw._key, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
                )
                select office, count(*) from newest where not _is_tombstone and _channel = {channel} group by office
                """).format(**parts)
            ).fetchall()
        )
    )
    with_parent = Counter(
        dict(
            connection.execute(
                "select office, count(*) from absent where is_of_withdrawn and not is_withheld group by office"
            ).fetchall()
        )
    )
    groups = {office: (in_force[office], rows) for office, rows in absent.items() if office is not None}
    groups[ALL] = (in_force.total(), absent.total())
    with_parent[ALL] = with_parent.total()
    blocking = [office for office, rows in groups.items() if limits.blocks(*rows)]
    held = [
        office
        for office, (stored, rows) in groups.items()
        if office in blocking or limits.is_pending(stored, rows - with_parent[office])
    ]
    if held:
        checked = [(office, *rows, office in held, office in blocking) for office, rows in groups.items()]
        add_checks(connection, parts["load"], checked)
    return held, blocking


def _note_absent(connection: psycopg.Connection, parts: dict) -> Counter:
    """The temporary table `absent`: keys in force of the delivery's scope and channel that it does not hold; counts by office.

    A row that the gate withholds is in no mart: to leave it out is to correct it, and it counts for no limit. One whose parent of the
    same system is withdrawn counts for the second limit alone: a gate would withhold it, and a backfill has none between its days.
    """
    connection.execute(
        sql.SQL("""
        create temp table absent on commit drop as
        with keys as (
            select distinct raw._key
            from {raw} as raw
            where {scope} and raw._business_date <= {day}
                and not exists (select 1 from delivered where delivered._key = raw._key)
                and not exists (
                    select 1 from quality.rejected_rows as rejected
                    where rejected.load_id = {load} and rejected._key = raw._key
                )
        ),
        newest as (
            select distinct on (raw._key) raw.*
            from {raw} as raw inner join keys using (_key)
            where raw._business_date <= {day}
            order by raw._key, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
        ),
        left_out as (
            select newest.*, {office} as office
            from newest
            where not _is_tombstone and _channel = {channel} and {scope}
        )
        select
            left_out._raw_id, left_out._key, left_out.office, pending.pending_id,
            coalesce(pending.blocks, false) as blocked_before,
            coalesce(pending.business_date < {day}, false) as is_of_earlier_night,
            coalesce(pending.business_date > {day}, false) as is_of_later_night,
            withheld.raw_id is not null as is_withheld, {of_withdrawn} as is_of_withdrawn,
            false as is_unusual, false as blocks, false as is_withdrawn
        from left_out
        left join quality.withheld as withheld
            on withheld.table_name = {name} and withheld.raw_id = left_out._raw_id and withheld.state = 'quarantined'
        left join quality.pending_withdrawals as pending
            on pending.table_name = {name} and pending.channel = {channel} and pending._key = left_out._key
            and pending.decision is null
        """).format(**parts)
    )
    return Counter(
        dict(
            connection.execute(
                "select office, count(*) filter (where not is_withheld) from absent group by office"
            ).fetchall()
        )
    )


def _decide(connection: psycopg.Connection, parts: dict, decided_by: str, waiver_id: int | None) -> None:
    """Closes what is withdrawn now or pending anew under this load, and opens what is pending.

    What a manifest or a waiver lets go at once is put on record as decided. A key that a later delivery lacks already is left to it.
    """
    given = parts | {"by": decided_by, "waiver": waiver_id}
    changed = sql.SQL("""
        select
            absent.pending_id,
            case when absent.is_withdrawn then 'confirmed' else 'replaced' end as decision,
            case when absent.is_withdrawn then {by} else 'delivery' end as decided_by
        from absent
        where
            absent.pending_id is not null and not absent.is_of_later_night
            and (absent.is_withdrawn or absent.blocks <> absent.blocked_before)
        """).format(**given)
    decide(connection, changed, load_id=parts["load"], waiver_id=waiver_id)
    added = sql.SQL("""
        select
            {load}, {source}, {name}, {channel}, {day}, absent._key, {record_key}, absent.office, {account}, {event_date},
            absent.blocks,
            case when absent.is_withdrawn then 'confirmed' end, case when absent.is_withdrawn then {by} end,
            case when absent.is_withdrawn then {load}::bigint end, case when absent.is_withdrawn then {waiver}::bigint end,
            case when absent.is_withdrawn then clock_timestamp() end
        from absent inner join {raw} as raw on absent._raw_id = raw._raw_id
        where absent.is_unusual and not absent.is_of_later_night
            -- what a person left in force is not asked again for the same night
            and not exists (
                select 1 from quality.pending_withdrawals as denied
                where denied.table_name = {name} and denied.channel = {channel} and denied._key = absent._key
                    and denied.business_date = {day} and denied.decision = 'denied' and denied.decided_by = 'person'
            )
            and case
                when absent.pending_id is null then {by} <> 'delivery' or not absent.is_withdrawn
                else not absent.is_withdrawn and absent.blocks <> absent.blocked_before
            end
        """).format(**given)
    add_pending(connection, added)


def _decide_what_came_late(connection: psycopg.Connection, parts: dict) -> None:
    """A late delivery's withdrawals are decided where later ones have landed: they withdrew the key, or it was there."""
    later = connection.execute(
        "select load_id from quality.receipts where table_name = %s and channel = %s and state = 'landed'"
        " and business_date > %s and complete_for = %s::daterange order by business_date, load_id limit 1",
        (parts["name"], parts["channel"], parts["day"], WHOLE_TABLE),
    ).fetchone()
    if later is None:
        return
    chosen = sql.SQL("""
        select
            pending.pending_id,
            case when (
                select raw._is_tombstone from {raw} as raw
                where raw._key = pending._key and raw._business_date > {day}
                order by quality.version_order(raw._business_date, raw._load_id)
                limit 1
            ) then 'confirmed' else 'denied' end as decision,
            'delivery' as decided_by
        from quality.open_withdrawals as pending
        where pending.load_id = {load}
        """).format(**parts)
    decide(connection, chosen, load_id=later[0])


def _insert_tombstones(connection: psycopg.Connection, parts: dict, raw_ids: str | sql.Composed) -> int:
    """A tombstone of the load for the key of each raw row that the query names; it keeps the key and what dates the row."""
    return connection.execute(
        sql.SQL("""
        insert into {raw} (_load_id, _business_date, _channel, _is_tombstone, _key, _hash, {kept})
        select {load}, {day}, {channel}, true, _key, {hash}::uuid, {kept}
        from {raw}
        where _raw_id in ({raw_ids}) and not _is_tombstone
        order by _raw_id
        """).format(**parts, raw_ids=sql.SQL(raw_ids) if isinstance(raw_ids, str) else raw_ids)
    ).rowcount


def _parts(table: Table, channel: str, load_id: int, business_date: date) -> dict:
    """What the queries above are filled with."""
    names = {c.name for c in table.columns}
    office = office_column(table)
    dated = None if table.is_full_compared else table.event_column
    is_month = dated and table.column(dated).physical_type == "char(6)"
    is_real = f"raw.{dated} ~ '^[0-9][0-9][0-9][0-9](0[1-9]|1[0-2])$'"  # a month that is none has landed all the same
    day = f"case when {is_real} then to_date(raw.{dated}, 'YYYYMM') end" if is_month else f"raw.{dated}::date"
    return {
        "raw": sql.SQL(table.raw_name),
        "kept": late.names(late.kept_of_withdrawn(table)),
        "hash": late.TOMBSTONE_HASH,
        "load": load_id,
        "day": business_date,
        "channel": channel,
        "source": table.source,
        "name": table.name,
        "of_withdrawn": sql.SQL(_of_withdrawn(table, business_date)),
        "office": sql.SQL(f"btrim({office})" if office else "null::text"),
        "account": sql.SQL("btrim(raw.cons_no)" if "cons_no" in names else "null::text"),
        "event_date": sql.SQL(day if dated else "null::date"),
        "record_key": sql.SQL(f"jsonb_build_object({', '.join(f'{k!r}, raw.{k}' for k in table.key)})"),
    }


def _waiver(connection: psycopg.Connection, table_name: str, business_date: date) -> int | None:
    return connection.execute(
        "select quality.waiver_for(%s, %s, null, jsonb_build_object('table', %s::text), %s)",
        (RULE, table_name, table_name, business_date),
    ).fetchone()[0]


def lock_table(connection: psycopg.Connection, table_name: str) -> None:
    """As landing takes it: one load of a table at a time."""
    locks.hold_table(connection, f"land {table_name}")
