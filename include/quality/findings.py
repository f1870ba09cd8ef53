"""What the gate concludes from violations: the life of each finding, and which rows are quarantined or blocked by a parent.

Set-based, in the caller's transaction. A finding is one violation through its life, unique by rule, source, table, record
key and column while open; its events are appended, never changed. A row that a rule names leaves the warehouse's input;
rows of the same source that refer to it, where no earlier version of it was admitted, are blocked with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from include.contracts import Reference, Table, load_contracts
from include.quality.rules import Rule
from include.transform.models import staging_relation

_IDENTITY = "rule_id, source_name, table_name, record_key, coalesce(column_name, '')"
_CARRIED = (
    "rule_id, axis, severity, source_name, table_name, record_key, column_name, account_no, business_date, observed,"
    " expected, suspect_side, energy_at_stake_kwh, amount_at_stake_cny, source_reference, raw_id"
)

# What `./kaw findings --state` may ask for; an open finding that changed, or whose waiver expired, is also an open one.
STATES = {
    "open": "state = 'open'",
    "changed": "state = 'open' and last_change = 'changed'",
    "expired": "state = 'open' and last_change = 'expired'",
    "waived": "state = 'waived'",
    "fixed": "state = 'fixed'",
    "all": "true",
}


@dataclass(frozen=True)
class Selection:
    """Findings by rule, source, owner office and account; what is None selects everything."""

    rule: str | None = None
    source: str | None = None
    office: str | None = None
    account: str | None = None

    def condition(self, state: str = "open") -> tuple[str, list]:
        """SQL condition on `quality.findings`, and its values."""
        asked = {"rule_id": self.rule, "source_name": self.source, "office": self.office, "account_no": self.account}
        given = {column: value for column, value in asked.items() if value is not None}
        return " and ".join([STATES[state], *(f"{column} = %s" for column in given)]), list(given.values())

    def __str__(self) -> str:
        given = {"rule": self.rule, "source": self.source, "office": self.office, "account": self.account}
        return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None) or "all"


def note_rule_book(connection: psycopg.Connection, rules: list[Rule], business_date: date) -> None:
    """Replaces `quality.rule_book` by the rules of this run; their sentences show the thresholds of its business date."""
    connection.execute("delete from quality.rule_book")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.rule_book (rule_id, gate, sentence, axis, dimension, severity, owner, quarantines, path,"
            " source_name, table_names, tests_changes) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    r.id,
                    r.gate,
                    r.sentence_on(business_date),
                    r.axis,
                    r.dimension,
                    r.severity,
                    r.owner,
                    r.quarantines and r.is_row_grain,
                    r.path,
                    r.source_name,
                    list(r.subjects or (r.table_name,)),
                    r.tests_changes,
                )
                for r in rules
            ],
        )


def judge(connection: psycopg.Connection, run_id: int, gate: int) -> None:
    """Makes the temporary table `judged`: a gate's violations with axis, whether the row is quarantined, and waiver."""
    connection.execute(
        """
        create temp table judged on commit drop as
        select
            violations.*, rule_book.axis,
            rule_book.quarantines and violations.severity = 'quarantine' as quarantines,
            quality.waiver_for(
                violations.rule_id, violations.table_name, violations.account_no, violations.record_key, run.business_date
            ) as waiver_id
        from quality.violations
        inner join quality.rule_book using (rule_id)
        cross join quality.current_run as run
        where violations.run_id = %s and rule_book.gate = %s
        """,
        (run_id, gate),
    )
    connection.execute("analyze judged")


def record_findings(connection: psycopg.Connection, run_id: int, gate: int) -> dict[str, int]:
    """Appends the events of a gate; returns how many of each kind. A gate that is repeated replaces its own events."""
    of_gate = "rule_id in (select rule_book.rule_id from quality.rule_book where rule_book.gate = %(gate)s)"
    values = {"run": run_id, "gate": gate}
    connection.execute(f"delete from quality.finding_events where run_id = %(run)s and {of_gate}", values)
    connection.execute("create temp table open_before on commit drop as select * from quality.open_findings")
    connection.execute("create index on open_before (rule_id, table_name)")
    connection.execute("analyze open_before")
    connection.execute(
        f"""
        create temp table now_seen on commit drop as
        select distinct on ({_IDENTITY}) judged.*
        from judged
        order by {_IDENTITY}, raw_id desc nulls last, observed nulls last
        """
    )
    connection.execute(
        f"""
        insert into quality.finding_events (finding_id, run_id, event, at, waiver_id, {_CARRIED})
        select
            coalesce(before.finding_id, nextval('quality.finding_ids')),
            %(run)s,
            case
                when now_seen.waiver_id is not null and before.state is distinct from 'waived' then 'waived'
                when before.finding_id is null then 'opened'
                when now_seen.waiver_id is null and before.state = 'waived' then 'expired'
                when now_seen.waiver_id is not null then 'waived'
                when (before.observed, before.expected, before.severity, before.raw_id)
                    is distinct from (now_seen.observed, now_seen.expected, now_seen.severity, now_seen.raw_id) then 'changed'
                else 'seen'
            end,
            clock_timestamp(),
            now_seen.waiver_id,
            {", ".join("now_seen." + name.strip() for name in _CARRIED.split(","))}
        from now_seen
        left join open_before as before
            on now_seen.rule_id = before.rule_id and now_seen.source_name = before.source_name
            and now_seen.table_name = before.table_name and now_seen.record_key = before.record_key
            and now_seen.column_name is not distinct from before.column_name
        """,
        values,
    )
    connection.execute(
        f"""
        insert into quality.finding_events (finding_id, run_id, event, at, {_CARRIED})
        select before.finding_id, %(run)s, 'fixed', clock_timestamp(),
            {", ".join("before." + name.strip() for name in _CARRIED.split(","))}
        from open_before as before
        where
            not exists (
                select 1 from quality.finding_events as event
                where event.run_id = %(run)s and event.finding_id = before.finding_id
            )
            and (
                exists (
                    select 1 from quality.findings_rechecked as rechecked
                    where rechecked.run_id = %(run)s and rechecked.finding_id = before.finding_id
                )
                or ({_gone(connection)})
            )
            and before.{of_gate}
        """,
        values,
    )
    counts = connection.execute(
        f"select event, count(*) from quality.finding_events where run_id = %(run)s and {of_gate} group by event",
        values,
    )
    return dict(counts.fetchall())


def _gone(connection: psycopg.Connection) -> str:
    """SQL condition on `before`: its row is no longer the staged version of its key: superseded or withdrawn."""
    tables = connection.execute("select distinct table_name from open_before where raw_id is not null").fetchall()
    conditions = [
        f"before.table_name = '{name}' and not exists"
        f" (select 1 from {staging_relation(name)} as staged where staged._raw_id = before.raw_id)"
        for (name,) in tables
    ]
    return " or ".join(f"({c})" for c in conditions) or "false"


def quarantine(connection: psycopg.Connection, run_id: int) -> dict[str, int]:
    """Brings `quality.quarantined_rows` to what this run found: new rows in, passed rows out, blocked rows anew."""
    upsert = """
        on conflict (table_name, raw_id) do update set
            state = excluded.state, rule_ids = excluded.rule_ids, account_no = excluded.account_no,
            energy_at_stake_kwh = excluded.energy_at_stake_kwh, amount_at_stake_cny = excluded.amount_at_stake_cny,
            from_run = case when coalesce(quarantined_rows.released_run, excluded.from_run) = excluded.from_run
                then quarantined_rows.from_run else excluded.from_run end,
            released_run = null, superseded_run = null
    """
    columns = "source_name, table_name, raw_id, state, rule_ids, record_key, account_no, energy_at_stake_kwh, amount_at_stake_cny, from_run"
    _release(connection, run_id)
    connection.execute(
        f"""
        insert into quality.quarantined_rows ({columns})
        select source_name, table_name, raw_id, 'quarantined', array_agg(distinct rule_id order by rule_id),
            (array_agg(record_key))[1], max(account_no), max(energy_at_stake_kwh), max(amount_at_stake_cny), %s
        from judged
        where quarantines and waiver_id is null and raw_id is not null
        group by source_name, table_name, raw_id
        {upsert}
        """,
        (run_id,),
    )
    # without statistics, and with nested loops, a few hundred withheld rows of 900 accounts take more than eight minutes
    connection.execute("select quality.analyze_quarantined_rows()")
    connection.execute("set local enable_nestloop = off")
    for tables in load_contracts().values():
        _hold(connection, run_id, list(tables.values()), f"insert into quality.quarantined_rows ({columns})", upsert)
    connection.execute("set local enable_nestloop = on")
    _note_quarantine_events(connection, run_id)
    counts = connection.execute("select state, count(*) from quality.withheld group by state")
    return dict(counts.fetchall())


def _note_quarantine_events(connection: psycopg.Connection, run_id: int) -> None:
    """Appends what this run changed of the withheld rows; a gate that is repeated replaces its own events."""
    columns = "source_name, table_name, raw_id, {}, rule_ids, record_key, account_no, energy_at_stake_kwh, amount_at_stake_cny, from_run"
    now = "case when released_run is not null then 'released' when superseded_run is not null then 'superseded' else state end"
    connection.execute("delete from quality.quarantine_events where run_id = %s", (run_id,))
    connection.execute(
        f"""
        insert into quality.quarantine_events (run_id, {columns.format("state")})
        select %s, changed.*
        from (
            select {columns.format(now)} from quality.quarantined_rows
            except
            select {columns.format("state")}
            from (
                select distinct on (table_name, raw_id) * from quality.quarantine_events order by table_name, raw_id, run_id desc
            ) as latest
        ) as changed
        """,
        (run_id,),
    )


def _release(connection: psycopg.Connection, run_id: int) -> None:
    """Lets go of rows that are still the staged version of their key and were tested again; superseded ones stay out for good.

    A row whose rule could not test it tonight (its counterpart is missing, say) stays as it is: not tested is not passed.
    """
    connection.execute(
        """
        create temp table not_rechecked on commit drop as
        select table_name, raw_id from quality.open_findings
        where state = 'open' and severity = 'quarantine' and raw_id is not null and last_run_id <> %s
        """,
        (run_id,),
    )
    tables = connection.execute(
        "select distinct table_name from quality.quarantined_rows where released_run is null"
    ).fetchall()
    for (name,) in tables:
        connection.execute(
            "update quality.quarantined_rows as kept set superseded_run = case when not exists"
            f" (select 1 from {staging_relation(name)} as staged where staged._raw_id = kept.raw_id)"
            " then coalesce(kept.superseded_run, %s) end where table_name = %s and released_run is null",
            (run_id, name),
        )
        connection.execute(
            f"update quality.quarantined_rows as kept set released_run = %(run)s"
            f" where table_name = %(table)s and released_run is null"
            f" and exists (select 1 from {staging_relation(name)} as staged where staged._raw_id = kept.raw_id)"
            " and (kept.state = 'blocked_by_parent' or not exists (select 1 from not_rechecked as found"
            " where found.table_name = kept.table_name and found.raw_id = kept.raw_id))",
            {"run": run_id, "table": name},
        )


def _hold(connection: psycopg.Connection, run_id: int, tables: list[Table], insert: str, upsert: str) -> None:
    """Blocks rows that refer to a withheld row with no admitted version, and rows that refer to those, until no more come."""
    by_name = {t.name: t for t in tables}
    references = [(t, r) for t in tables for r in t.references if r.target_table in by_name]
    while True:
        kept = {
            name
            for (name,) in connection.execute(
                "select distinct table_name from quality.quarantined_rows where released_run is null"
            )
        }
        added = 0
        for child, reference in references:
            if reference.target_table in kept:
                added += _hold_by(connection, run_id, child, by_name[reference.target_table], reference, insert, upsert)
        if not added:
            return


def _hold_by(
    connection: psycopg.Connection,
    run_id: int,
    child: Table,
    parent: Table,
    reference: Reference,
    insert: str,
    upsert: str,
) -> int:
    pairs = list(zip(reference.columns, reference.target_columns, strict=True))
    join = " and ".join(f"raw.{c} = missing.{p}" for c, p in pairs)
    same = " and ".join(f"other.{p} = parent.{p}" for _, p in pairs)
    in_force = (
        "quarantined_rows.table_name = '{}' and quarantined_rows.raw_id = {} and quarantined_rows.released_run is null"
    )
    key = ", ".join(f"'{k}', raw.{k}" for k in child.key)
    account = "btrim(raw.cons_no)" if any(c.name == "cons_no" for c in child.columns) else "missing.account_no"
    return connection.execute(
        f"""
        with missing as (
            select distinct on ({", ".join("parent." + p for _, p in pairs)}) {", ".join("parent." + p for _, p in pairs)},
                kept.account_no, kept.rule_ids
            from quality.quarantined_rows as kept
            inner join {parent.raw_name} as parent on kept.raw_id = parent._raw_id
            inner join {staging_relation(parent)} as staged on kept.raw_id = staged._raw_id
            where kept.table_name = '{parent.name}' and kept.released_run is null
                and not exists (
                    select 1
                    from {parent.raw_name} as other
                    cross join quality.current_run as run
                    where {same} and not other._is_tombstone and other._raw_id <> parent._raw_id
                        and other._business_date <= run.business_date
                        and not exists (
                            select 1 from quality.quarantined_rows where {in_force.format(parent.name, "other._raw_id")}
                        )
                        and (
                            other._load_id <= run.last_passed_load_id
                            or exists (
                                select 1 from {staging_relation(parent)} as also where also._raw_id = other._raw_id
                            )
                        )
                )
            order by {", ".join("parent." + p for _, p in pairs)}, kept.raw_id
        )
        {insert}
        select '{child.source}', '{child.name}', raw._raw_id, 'blocked_by_parent', missing.rule_ids,
            jsonb_build_object({key}), {account}, null, null, %s
        from {staging_relation(child)} as staged
        inner join {child.raw_name} as raw on staged._raw_id = raw._raw_id
        inner join missing on {join}
        where not exists (
            select 1 from quality.quarantined_rows where {in_force.format(child.name, "raw._raw_id")}
        )
        {upsert}
        """,
        (run_id,),
    ).rowcount
