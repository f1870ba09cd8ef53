"""Conservation: every delivered row is in exactly one state, per receipt, as of the run.

delivered = admitted + waived + quarantined + blocked_by_parent + superseded + duplicate + rejected; a tombstone is a delivered row.
The left side was counted by the reader; the right side is counted here from raw, staging and quarantine, each on its own.
"""

from __future__ import annotations

import psycopg

from include.contracts import all_tables
from include.transform.models import staging_relation


def recompute(connection: psycopg.Connection, run_id: int) -> None:
    """Fills `quality.conservation` for every landed receipt up to the business date; the rule PIP-04 reads it."""
    connection.execute("delete from quality.conservation where run_id = %s", (run_id,))
    version = "quality.version_order(raw._business_date, raw._load_id)"
    for table in all_tables().values():
        connection.execute(
            f"""
            insert into quality.conservation (
                run_id, load_id, table_name, delivered, admitted, waived, quarantined, blocked_by_parent, superseded, duplicate, rejected
            )
            with versions as (
                select
                    raw._raw_id, raw._load_id, raw._is_tombstone,
                    {version} = max({version}) over (partition by raw._key) as is_newest
                from {table.raw_name} as raw
                cross join quality.current_run as run
                where raw._business_date <= run.business_date
            ),
            states as (
                select
                    versions._load_id,
                    versions._is_tombstone,
                    staged._raw_id is not null as is_staged,
                    versions.is_newest,
                    kept.state as kept_state,
                    waived.raw_id is not null as is_waived
                from versions
                left join {staging_relation(table)} as staged on versions._raw_id = staged._raw_id
                left join quality.quarantined_rows as kept
                    on kept.table_name = '{table.name}' and versions._raw_id = kept.raw_id and kept.released_run is null
                left join (
                    select distinct raw_id from quality.open_findings
                    where table_name = '{table.name}' and state = 'waived' and severity = 'quarantine'
                ) as waived on versions._raw_id = waived.raw_id
            ),
            counted as (
                select
                    _load_id,
                    count(*) filter (where is_staged and not is_waived) as staged,
                    count(*) filter (where is_staged and is_waived) as waived,
                    count(*) filter (where not is_staged and is_newest and kept_state = 'quarantined') as quarantined,
                    count(*) filter (where not is_staged and is_newest and kept_state = 'blocked_by_parent') as blocked_by_parent,
                    count(*) filter (where not is_staged and not is_newest) as superseded,
                    count(*) filter (where not is_staged and is_newest and _is_tombstone) as withdrawn
                from states
                group by _load_id
            )
            select
                %s, receipts.load_id, receipts.table_name,
                receipts.delivered_rows + receipts.tombstone_rows,
                coalesce(counted.staged, 0) + coalesce(counted.withdrawn, 0),
                coalesce(counted.waived, 0), coalesce(counted.quarantined, 0), coalesce(counted.blocked_by_parent, 0),
                coalesce(counted.superseded, 0), receipts.duplicate_rows,
                (select count(*) from quality.rejected_rows as rejected where rejected.load_id = receipts.load_id)
            from quality.receipts as receipts
            left join counted on receipts.load_id = counted._load_id
            cross join quality.current_run as run
            where receipts.table_name = '{table.name}' and receipts.state = 'landed' and receipts.business_date <= run.business_date
            """,
            (run_id,),
        )
