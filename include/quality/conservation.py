"""Conservation: every delivered row is in exactly one state, per receipt, as of the run.

delivered = admitted + waived + quarantined + blocked_by_parent + superseded + duplicate + rejected; a tombstone is a delivered row.
The left side was counted by the reader; the right side is counted here from raw, staging and quarantine, each on its own.
A night counts anew the receipts of which a row may have changed its state (it came, or a version of its key did, or its
quarantine or waiver changed), and of each table the one that was counted longest ago:
one with as many rows as so many nights deliver has its turn after so many nights.

And per table: rows in force at the last published run + new - withdrawn = rows in force, rows that are pending stated beside.
"""

from __future__ import annotations

from datetime import date

import psycopg

from include.contracts import Table, all_tables
from include.records.row_counts import Counted, replace_conservation, replace_rows_in_force
from include.transform.models import staging_relation

LEAST_ROWS = 1000  # so many rows are counted anew on any night


def recompute(connection: psycopg.Connection, run_id: int) -> None:
    """Brings `quality.receipt_states` to the business date; the rule PIP-04 reads it."""
    replace_conservation(connection, run_id, [_states_of(table) for table in all_tables().values()])


def _states_of(table: Table) -> Counted:
    """SQL of the receipts of a table to be counted, and of the rows of each of them by state."""
    staging = staging_relation(table)
    receipts = f"""
            with moved (_key) as (
                select _key from {table.raw_name} where _load_id = any (%(new)s)
                union
                select raw._key
                from quality.quarantine_events as events
                inner join {table.raw_name} as raw on events.raw_id = raw._raw_id
                where events.table_name = '{table.name}' and events.run_id >= %(counted_by)s
            )
            select load_id from unnest(%(new)s::bigint[]) as landed (load_id)
            union
            select raw._load_id from {table.raw_name} as raw where raw._key in (select _key from moved)
            union
            select raw._load_id
            from quality.open_findings as waived
            inner join {table.raw_name} as raw on waived.raw_id = raw._raw_id
            where waived.table_name = '{table.name}' and waived.state = 'waived' and waived.severity = 'quarantine'
            union
            select load_id from quality.receipt_states
            where table_name = '{table.name}' and (waived > 0 or staged_by is distinct from %(staged_by)s)
            union
            (
                select counted.load_id
                from quality.receipt_states as counted
                where
                    counted.table_name = '{table.name}'
                    and counted.delivered <= (%(run)s - counted.run_id)
                    * greatest(
                        {LEAST_ROWS}, (select sum(delivered_rows) from quality.receipts where load_id = any (%(new)s))
                    )
                order by counted.run_id, counted.load_id
                limit 1
            )
    """
    version = "quality.version_order(raw._business_date, raw._load_id)"
    states = f"""
            with versions as (
                select
                    raw._raw_id, raw._key, raw._load_id, raw._is_tombstone,
                    {version} = max({version}) over (partition by raw._key) as is_newest
                from {table.raw_name} as raw
                cross join quality.current_run as run
                where
                    raw._business_date <= run.business_date
                    and raw._key in (select counted._key from {table.raw_name} as counted where counted._load_id = any (%(receipts)s))
            ),
            states as (
                select
                    versions._key,
                    versions._load_id,
                    versions._is_tombstone,
                    staged._raw_id is not null as is_staged,
                    versions.is_newest,
                    kept.state as kept_state,
                    waived.raw_id is not null as is_waived
                from versions
                left join {staging} as staged on versions._raw_id = staged._raw_id
                left join quality.quarantined_rows as kept
                    on kept.table_name = '{table.name}' and versions._raw_id = kept.raw_id and kept.released_run is null
                left join (
                    select distinct raw_id from quality.open_findings
                    where table_name = '{table.name}' and state = 'waived' and severity = 'quarantine'
                ) as waived on versions._raw_id = waived.raw_id
                where versions._load_id = any (%(receipts)s)
            ),
            counted as (
                select
                    _load_id,
                    count(*) filter (where is_staged and not is_waived) as staged,
                    count(*) filter (where is_staged and is_waived) as waived,
                    count(*) filter (where not is_staged and is_newest and kept_state = 'quarantined') as quarantined,
                    count(*) filter (where not is_staged and is_newest and kept_state = 'blocked_by_parent') as blocked_by_parent,
                    count(*) filter (where not is_staged and not is_newest) as superseded,
                    count(*) filter (where not is_staged and is_newest and _is_tombstone) as withdrawn,
                    count(distinct _key) filter (where is_newest and not _is_tombstone) as in_force
                from states
                group by _load_id
            )
            select
                receipts.load_id,
                receipts.table_name,
                receipts.delivered_rows + receipts.tombstone_rows,
                coalesce(counted.staged, 0) + coalesce(counted.withdrawn, 0),
                coalesce(counted.waived, 0), coalesce(counted.quarantined, 0), coalesce(counted.blocked_by_parent, 0),
                coalesce(counted.superseded, 0), receipts.duplicate_rows,
                (select count(*) from quality.rejected_rows as rejected where rejected.load_id = receipts.load_id),
                coalesce(counted.in_force, 0)
            from quality.receipts as receipts
            left join counted on receipts.load_id = counted._load_id
            where receipts.load_id = any (%(receipts)s)
    """
    return Counted(table.name, staging.split(".")[1], receipts, states)


def count_rows_in_force(connection: psycopg.Connection, run_id: int) -> None:
    """Fills `quality.rows_in_force`; the rule PIP-10 reads it.

    The count of before is the one that the last published run put on record; what came and went since is counted over the keys
    of later loads and dates, and what is in force over the receipts (`recompute`): a row that vanishes leaves the two unequal.
    """
    before = connection.execute(
        "select runs.run_id, runs.business_date, runs.last_load_id from quality.runs as runs cross join quality.current_run as run"
        " where runs.state = 'published' and runs.business_date <= run.business_date and runs.run_id < %s"
        " and exists (select 1 from quality.rows_in_force as counted where counted.run_id = runs.run_id)"
        " order by runs.business_date desc, runs.run_id desc limit 1",
        (run_id,),
    ).fetchone()
    before_id, day, load_id = before or (None, date.min, 0)
    values = {"day": day, "load": load_id, "before": before_id}
    replace_rows_in_force(connection, run_id, {name: _in_force(table) for name, table in all_tables().items()}, values)


def _in_force(table: Table) -> str:
    """SQL of the keys of a table in force before, come, gone, in force now, and pending among them."""
    version = "quality.version_order(raw._business_date, raw._load_id)"
    return f"""
            with later as (
                select raw._key
                from {table.raw_name} as raw
                where raw._load_id = any (%(later)s)
            ),
            newest as (
                select distinct on (raw._key) raw._key, raw._is_tombstone
                from {table.raw_name} as raw
                inner join quality.runs on runs.run_id = %(run)s
                where
                    raw._key in (select later._key from later)
                    and raw._business_date <= runs.business_date and raw._load_id <= runs.last_load_id
                order by raw._key, {version} desc
            ),
            was as (
                select distinct on (raw._key) raw._key, raw._is_tombstone
                from {table.raw_name} as raw
                where
                    raw._business_date <= %(day)s and raw._load_id <= %(load)s
                    and raw._key in (select later._key from later)
                order by raw._key, {version} desc
            ),
            counted as (
                select
                    count(*) filter (where not newest._is_tombstone and was._is_tombstone is not false) as came,
                    count(*) filter (where newest._is_tombstone and was._is_tombstone is false) as went
                from newest
                left join was on newest._key = was._key
            )
            select
                '{table.name}',
                coalesce(
                    (
                        select before.in_force_rows from quality.rows_in_force as before
                        where before.run_id = %(before)s and before.table_name = '{table.name}'
                    ), 0
                ),
                came,
                went,
                (
                    select coalesce(sum(states.in_force), 0) from quality.receipt_states as states
                    where states.table_name = '{table.name}'
                ),
                (
                    select count(*) from quality.open_withdrawals as pending cross join quality.current_run as run
                    where pending.table_name = '{table.name}' and pending.business_date <= run.business_date
                )
            from counted
    """
