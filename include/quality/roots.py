"""Roots and dependants: a violation whose only cause is a row that is not there belongs to the finding of that row.

A rule says in `cause` which row it misses, {"table": ..., "key": {...}}. The root of all violations that miss one row is the
finding of this night on that row: under its key, under a key of several parts of which one differs, or on a row that says
under another key what the missing one said. Where there is none, and more than one record misses the row, the row itself
becomes the finding; a single record that refers to nothing is the fault of its own reference.
"""

from __future__ import annotations

import psycopg

from include.contracts import Table, all_tables

ABSENT = "no such row"


def find_roots(connection: psycopg.Connection, run_id: int) -> None:
    """Adds the missing rows themselves to the temporary table `now_seen`, and fills `rooted`: whose violation misses what.

    `rooted` has a row for each violation of `now_seen` (by its number `seen_no`) that is a dependant, with that of its root.
    """
    connection.execute("alter table now_seen add column seen_no bigint generated always as identity")
    connection.execute(
        """
        create temp table missing on commit drop as
        with caused as (
            select cause ->> 'table' as table_name, cause -> 'key' as key, min(rule_id) as rule_id,
                count(distinct (table_name, record_key)) as records, min(account_no) as account_no,
                count(distinct account_no) as accounts
            from now_seen
            where cause is not null and waiver_id is null
            group by cause ->> 'table', cause -> 'key'
        )

        -- what misses a part of a key misses the row of the whole one
        select caused.*, coalesce(whole.key, caused.key) as whole_key
        from caused
        left join lateral (
            select larger.key
            from caused as larger
            where larger.table_name = caused.table_name and larger.key <> caused.key and larger.key @> caused.key
            order by larger.key
            limit 1
        ) as whole on true
        """
    )
    connection.execute(
        """
        create temp table rooted_rows on commit drop as
        select distinct on (missing.table_name, missing.whole_key) missing.table_name, missing.whole_key, found.seen_no
        from missing
        inner join now_seen as found on missing.table_name = found.table_name
        where
            found.cause is null
            and (
                found.record_key @> missing.whole_key
                or (
                    missing.whole_key ? found.column_name
                    and exists (
                        select 1 from jsonb_each(missing.whole_key) as part
                        where found.record_key -> part.key = part.value
                    )
                )
            )
        order by missing.table_name, missing.whole_key, found.record_key, found.rule_id
        """
    )
    for (name,) in connection.execute("select distinct table_name from missing").fetchall():
        _find_renamed(connection, all_tables()[name])
    connection.execute(
        f"""
        with absent as (
            select
                missing.table_name, missing.whole_key, min(missing.rule_id) as rule_id,
                coalesce(missing.whole_key ->> 'cons_no', case when max(missing.accounts) = 1 then min(missing.account_no) end)
                    as account_no
            from missing
            left join rooted_rows as known
                on missing.table_name = known.table_name and missing.whole_key = known.whole_key
            where known.seen_no is null
            group by missing.table_name, missing.whole_key
            having sum(missing.records) > 1
        ),

        added as (
            insert into now_seen (
                run_id, rule_id, source_name, table_name, record_key, column_name, account_no, business_date, observed,
                expected, severity, source_reference, cause, axis, quarantines, waiver_id
            )
            select
                %(run)s, absent.rule_id, sources.source_name, absent.table_name, absent.whole_key,
                (select min(part) from jsonb_object_keys(absent.whole_key) as part), absent.account_no, run.business_date,
                '{ABSENT}', 'the row that others refer to', 'quarantine', absent.table_name,
                jsonb_build_object('table', absent.table_name, 'key', absent.whole_key), 'missing', false,
                quality.waiver_for(absent.rule_id, absent.table_name, absent.account_no, absent.whole_key, run.business_date)
            from absent
            inner join unnest(%(tables)s::text[], %(sources)s::text[]) as sources (table_name, source_name)
                on absent.table_name = sources.table_name
            cross join quality.current_run as run
            returning seen_no, table_name, record_key
        )

        insert into rooted_rows (table_name, whole_key, seen_no) select table_name, record_key, seen_no from added
        """,
        {"run": run_id, "tables": list(all_tables()), "sources": [t.source for t in all_tables().values()]},
    )
    connection.execute(
        """
        create temp table rooted on commit drop as
        select seen.seen_no, rooted_rows.seen_no as root_no
        from now_seen as seen
        inner join missing on missing.table_name = seen.cause ->> 'table' and missing.key = seen.cause -> 'key'
        inner join rooted_rows
            on missing.table_name = rooted_rows.table_name and missing.whole_key = rooted_rows.whole_key
        where seen.waiver_id is null and seen.seen_no <> rooted_rows.seen_no
        """
    )


def _find_renamed(connection: psycopg.Connection, table: Table) -> None:
    """The root is a finding on a row that says under another key what the missing one said when it was last delivered."""
    key = ", ".join(f"'{column}'" for column in (*table.key, table.cursor_column))
    own = " and ".join(
        f"(missing.whole_key -> '{c}' is null or missing.whole_key ->> '{c}' = btrim(before.{c}::text))"
        for c in table.key
    )
    content = (
        "(select jsonb_object_agg(given.key, given.value) from jsonb_each(to_jsonb({0})) as given"
        f" where left(given.key, 1) <> '_' and given.key not in ({key}))"
    )
    connection.execute(
        f"""
        insert into rooted_rows (table_name, whole_key, seen_no)
        select distinct on (missing.whole_key) missing.table_name, missing.whole_key, found.seen_no
        from missing
        inner join {table.raw_name} as before on {own} and not before._is_tombstone
        inner join now_seen as found
            on found.table_name = missing.table_name and found.cause is null and found.column_name in ({key})
        inner join {table.raw_name} as present on found.raw_id = present._raw_id
        where
            missing.table_name = '{table.name}'
            and {content.format("before")} = {content.format("present")}
            and not exists (
                select 1 from rooted_rows as known
                where known.table_name = missing.table_name and known.whole_key = missing.whole_key
            )
        order by missing.whole_key, before._load_id desc, found.seen_no
        """
    )
