"""What the gate concludes from violations: the life of each finding, and which rows are quarantined or blocked by a parent.

Set-based, in the caller's transaction. A finding is one violation through its life, unique by rule, source, table, record
key and column while open; its events are appended, never changed. A row that a rule names leaves the warehouse's input;
rows of the same source that refer to it, where no earlier version of it was admitted, are blocked with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from include.contracts import Reference, Table, all_tables, load_contracts
from include.quality.facts import amounts_of, day_of, identifiers
from include.quality.roots import find_roots
from include.quality.rules import Rule
from include.records import quarantine as store
from include.records import withheld_values
from include.records.findings import CARRIED, IDENTITY, add_events, count_events, forget_events
from include.records.rule_book import replace_rule_book
from include.transform.models import staging_relation

# What should be there is tested whole: a record that such a rule does not test any more is no longer expected, and its finding
# has expired. Where the rule tested nothing at all, its table was not delivered, and nothing is known.
_EXPIRED = """(
    before.rule_id like 'EXP-%%'
    and not exists (
        select 1 from quality.findings_rechecked as rechecked
        where rechecked.run_id = %(run)s and rechecked.finding_id = before.finding_id
    )
    and exists (
        select 1 from quality.rule_results as results
        where results.run_id = %(run)s and results.rule_id = before.rule_id and results.tested_rows > 0
    )
)"""
NO_LONGER_EXPECTED = "no longer expected"  # what an expired finding observes

# What `./kaw findings --state` may ask for; an open finding that changed, or whose waiver expired, is also an open one.
STATES = {
    "open": "state = 'open'",
    "changed": "state = 'open' and last_change = 'changed'",
    "expired": "state = 'open' and last_change = 'expired'",
    "waived": "state = 'waived'",
    "dependant": "state = 'dependant'",
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
    entries = [
        {
            "rule_id": r.id,
            "gate": r.gate,
            "sentence": r.sentence_on(business_date),
            "axis": r.axis,
            "dimension": r.dimension,
            "severity": r.severity,
            "owner": r.owner,
            "quarantines": r.quarantines and r.is_row_grain,
            "path": r.path,
            "source_name": r.source_name,
            "table_names": list(r.subjects or (r.table_name,)),
            "tests_changes": r.tests_changes,
            "withholds": list(r.withholds),
            "code": r.code,
        }
        for r in rules
    ]
    replace_rule_book(connection, entries)


def judge(connection: psycopg.Connection, run_id: int, gate: int) -> None:
    """Makes the temporary table `judged`: a gate's violations with axis, whether row or value is kept out, and waiver."""
    connection.execute(
        """
        create temp table judged on commit drop as
        select
            violations.*, rule_book.axis,
            rule_book.quarantines and violations.severity = 'quarantine'
                and coalesce(violations.column_name <> all (rule_book.withholds), true) as quarantines,
            violations.severity = 'quarantine' and violations.column_name = any(rule_book.withholds) as withholds,
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
    forget_events(connection, run_id, gate)
    connection.execute("create temp table open_before on commit drop as select * from quality.open_findings")
    connection.execute("create index on open_before (rule_id, table_name)")
    connection.execute("analyze open_before")
    connection.execute(
        f"""
        create temp table now_seen on commit drop as
        select distinct on ({IDENTITY}) judged.*
        from judged
        order by {IDENTITY}, raw_id desc nulls last, observed nulls last
        """
    )
    find_roots(connection, run_id)
    add_events(connection, run_id, _seen("now_seen.seen_no not in (select rooted.seen_no from rooted)", "null::bigint"))
    add_events(connection, run_id, _seen("rooted.root_no is not null", "root.finding_id"))
    add_events(
        connection,
        run_id,
        f"""
        select before.finding_id, 'fixed' as event, null::bigint as waiver_id, null::bigint as root_finding_id,
            {", ".join(_last_said(name.strip()) for name in CARRIED.split(","))}
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
                or (
                    -- a row that was missed, and that nothing misses any more
                    before.raw_id is null and before.cause ->> 'table' = before.table_name
                    and exists (
                        select 1 from quality.rule_results as result
                        where result.run_id = %(run)s and result.rule_id = before.rule_id
                    )
                )
                or {_EXPIRED}
            )
            and before.rule_id in (select rule_book.rule_id from quality.rule_book where rule_book.gate = %(gate)s)
        """,
        {"gate": gate},
    )
    return count_events(connection, run_id, gate)


def _seen(which: str, root: str) -> str:
    """SQL of an event for each of these violations. `root` is SQL of the finding that it depends on, null where on none."""
    return f"""
        select
            before.finding_id,
            case
                when {root} is not null then 'dependant'
                when now_seen.waiver_id is not null and before.state is distinct from 'waived' then 'waived'
                when before.finding_id is null or before.state = 'dependant' then 'opened'
                when now_seen.waiver_id is null and before.state = 'waived' then 'expired'
                when now_seen.waiver_id is not null then 'waived'
                when (before.observed, before.expected, before.severity, before.raw_id)
                    is distinct from (now_seen.observed, now_seen.expected, now_seen.severity, now_seen.raw_id) then 'changed'
                else 'seen'
            end as event,
            now_seen.waiver_id,
            {root} as root_finding_id,
            {", ".join("now_seen." + name.strip() for name in CARRIED.split(","))}
        from now_seen
        left join rooted on now_seen.seen_no = rooted.seen_no
        left join now_seen as of_root on rooted.root_no = of_root.seen_no
        left join quality.finding_events as root
            on root.run_id = %(run)s and of_root.rule_id = root.rule_id and of_root.table_name = root.table_name
            and of_root.record_key = root.record_key and of_root.column_name is not distinct from root.column_name
        left join open_before as before
            on now_seen.rule_id = before.rule_id and now_seen.source_name = before.source_name
            and now_seen.table_name = before.table_name and now_seen.record_key = before.record_key
            and now_seen.column_name is not distinct from before.column_name
        where {which}
    """


def _last_said(name: str) -> str:
    """SQL of what the last event of a finding says: what the one before it said, but of an expired one why it ends."""
    if name == "observed":
        return f"case when {_EXPIRED} then '{NO_LONGER_EXPECTED}' else before.observed end"
    return f"before.{name}"


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
    _release(connection, run_id)
    store.withhold(
        connection,
        run_id,
        """
        select source_name, table_name, raw_id, 'quarantined', array_agg(distinct rule_id order by rule_id),
            (array_agg(record_key))[1], max(account_no), max(exposure_kwh), max(exposure_cny)
        from judged
        where quarantines and waiver_id is null and raw_id is not null
        group by source_name, table_name, raw_id
        """,
    )
    # without statistics, and with nested loops, a few hundred withheld rows of 900 accounts take more than eight minutes
    connection.execute("select quality.analyze_quarantined_rows()")
    connection.execute("set local enable_nestloop = off")
    withheld_values.withhold(
        connection,
        run_id,
        """
        select source_name, table_name, raw_id, column_name, array_agg(distinct rule_id order by rule_id),
            (array_agg(record_key))[1], max(account_no)
        from judged
        where withholds and waiver_id is null and raw_id is not null
        group by source_name, table_name, raw_id, column_name
        """,
    )
    for tables in load_contracts().values():
        _hold(connection, run_id, list(tables.values()))
    connection.execute("set local enable_nestloop = on")
    _note_facts(connection)
    store.note_events(connection, run_id)
    counts = connection.execute("select state, count(*) from quality.withheld group by state")
    return dict(counts.fetchall())


def _note_facts(connection: psycopg.Connection) -> None:
    """What each withheld row and value is about: its day, the numbers that it names, and what rests on it."""
    names = connection.execute(
        "select table_name from quality.quarantined_rows where released_run is null"
        " union select table_name from quality.withheld_values where released_run is null"
    ).fetchall()
    for table in (all_tables()[name] for (name,) in names):
        kwh, cny = (f"raw.{column}" if column else "null::numeric" for column in amounts_of(table))
        of_row = f"""
            select raw._raw_id as raw_id, {day_of(table)} as fact_date, {identifiers(table)} as identifiers,
                {kwh} as kwh, {cny} as cny
            from {table.raw_name} as raw
        """
        store.note_facts(connection, table.name, of_row)
        withheld_values.note_facts(connection, table.name, of_row)


def _release(connection: psycopg.Connection, run_id: int) -> None:
    """Lets go of rows and values of rows that are still staged and were tested again; superseded ones stay out for good.

    A row whose rule could not test it tonight (its counterpart is missing, say) stays as it is: not tested is not passed.
    """
    connection.execute(
        """
        create temp table not_rechecked on commit drop as
        select table_name, raw_id, column_name from quality.open_findings
        where state in ('open', 'dependant') and severity = 'quarantine' and raw_id is not null and last_run_id <> %s
        """,
        (run_id,),
    )
    tables = connection.execute(
        "select distinct table_name from quality.quarantined_rows where released_run is null"
    ).fetchall()
    for (name,) in tables:
        rows = connection.execute(
            f"select raw_id, exists (select 1 from {staging_relation(name)} as staged where staged._raw_id = kept.raw_id),"
            " state = 'blocked_by_parent' or not exists (select 1 from not_rechecked as found"
            " where found.table_name = kept.table_name and found.raw_id = kept.raw_id)"
            " from quality.quarantined_rows as kept where table_name = %s and released_run is null",
            (name,),
        ).fetchall()
        superseded = [raw_id for raw_id, is_staged, _ in rows if not is_staged]
        store.note_superseded(connection, run_id, name, superseded)
        passed = [raw_id for raw_id, is_staged, is_rechecked in rows if is_staged and is_rechecked]
        store.release(connection, run_id, name, passed)
    for name in withheld_values.tables(connection):
        withheld_values.note_superseded(connection, run_id, name, staging_relation(name))
        withheld_values.release(connection, run_id, name, staging_relation(name), "not_rechecked")


def _hold(connection: psycopg.Connection, run_id: int, tables: list[Table]) -> None:
    """Blocks rows that refer to a withheld row with no admitted version, and rows that refer to those, until no more come.

    Where the contract lets the row go on without the reference, the reference alone is withheld.
    """
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
                added += _hold_by(connection, run_id, child, by_name[reference.target_table], reference)
        if not added:
            return


def _hold_by(connection: psycopg.Connection, run_id: int, child: Table, parent: Table, reference: Reference) -> int:
    pairs = list(zip(reference.columns, reference.target_columns, strict=True))
    join = " and ".join(f"raw.{c} = missing.{p}" for c, p in pairs)
    same = " and ".join(f"other.{p} = parent.{p}" for _, p in pairs)
    in_force = (
        "quarantined_rows.table_name = '{}' and quarantined_rows.raw_id = {} and quarantined_rows.released_run is null"
    )
    key = ", ".join(f"'{k}', raw.{k}" for k in child.key)
    account = "btrim(raw.cons_no)" if any(c.name == "cons_no" for c in child.columns) else "missing.account_no"
    missing = f"""
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
    """
    rows = f"""
        from {staging_relation(child)} as staged
        inner join {child.raw_name} as raw on staged._raw_id = raw._raw_id
        inner join missing on {join}
        where not exists (
            select 1 from quality.quarantined_rows where {in_force.format(child.name, "raw._raw_id")}
        )
    """
    withheld = child.withheld_by(reference)
    if not withheld:
        return store.withhold(
            connection,
            run_id,
            f"""
            {missing}
            select '{child.source}', '{child.name}', raw._raw_id, 'blocked_by_parent', missing.rule_ids,
                jsonb_build_object({key}), {account}, null::numeric, null::numeric
            {rows}
            """,
        )
    return sum(
        withheld_values.withhold(
            connection,
            run_id,
            f"""
            {missing}
            select '{child.source}', '{child.name}', raw._raw_id, '{column}', missing.rule_ids,
                jsonb_build_object({key}), {account}
            {rows}
                and not exists (
                    select 1 from quality.withheld_values as known
                    where known.table_name = '{child.name}' and known.raw_id = raw._raw_id
                        and known.column_name = '{column}' and known.released_run is null
                )
            """,
        )
        for column in withheld
    )
